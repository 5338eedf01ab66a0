"""The meanings of the canaries."""

import fnmatch
from importlib.metadata import version

from packaging.version import Version

from mpsdoctor.facts.probes.canaries import CANARIES
from mpsdoctor.knowledge.canaries import MEANINGS, Meaning, meaning_of
from tests.support.diffusers_source import classes, signature

VOLUMES = ("Conv3d(", "TemporalConvLayer(", "TemporalResnetBlock(", "unet_3d_blocks import")


def test_every_canary_has_a_meaning() -> None:
    """Every canary has a meaning, and no other name has one."""
    assert [one.name for one in CANARIES] == list(MEANINGS)
    assert meaning_of("sdpa") is MEANINGS["sdpa"]
    assert meaning_of("of-tomorrow") == Meaning("of-tomorrow", "Pictures may be wrong.")


def test_some_canaries_fail_pictures_in_some_formats() -> None:
    """Only these are not tolerable, and a format that a canary does not compute in is not hit."""
    assert {name: one.dtypes for name, one in MEANINGS.items() if not one.tolerable} == {
        "sdpa": ("float16",),
        "linear-bias": (),
        "linear-twice-bf16": ("float16", "bfloat16"),
        "argmax": (),
        "layer-norm-float16": ("float16",),
        "int64": (),
    }
    tolerable = [one for one in MEANINGS.values() if one.tolerable]
    assert {one.dtypes for one in tolerable} == {()}
    assert [one for one in tolerable if one.needed_by] == [MEANINGS["conv3d"]]


def test_the_pipelines_that_convolve_in_three_dimensions_are_known() -> None:
    """Each pipeline of Diffusers with such a model needs conv3d; the common ones do not."""
    volumes = {name for name, _ in classes("models", *VOLUMES)}
    conv3d = MEANINGS["conv3d"]
    needing = {
        name
        for name, source in classes("pipelines")
        if name.endswith("Pipeline") and signature(source, "__init__") & volumes
    }
    assert {name for name in needing if conv3d.is_tolerable("my/own", name)} == set()
    patterns = [one for one in conv3d.needed_by if "/" not in one]
    if Version(version("diffusers")) >= Version("0.42"):  # the first that has them all
        assert all(fnmatch.filter(needing, pattern) for pattern in patterns)
    common = ("StableDiffusion", "StableDiffusionXL", "StableDiffusion3", "Flux", "Flux2Klein")
    others = (*common, "ZImage", "Sana", "PixArtSigma", "HunyuanDiT", "Kandinsky", "Kolors")
    for name in others:
        assert conv3d.is_tolerable("my/own", f"{name}Pipeline")


def test_a_model_without_its_pipeline_is_known_by_its_id() -> None:
    """The pipeline's class decides if it is known."""
    conv3d = MEANINGS["conv3d"]
    ids = ("Qwen/Qwen-Image", "Wan-AI/Wan2.2", "Lightricks/LTX-Video", "tencent/HunyuanVideo")
    for model in ids:
        assert not conv3d.is_tolerable(model, None)
        assert conv3d.is_tolerable(model, "FluxPipeline")
    assert conv3d.is_tolerable("shapes", None)
    assert not MEANINGS["sdpa"].is_tolerable("shapes", None)
