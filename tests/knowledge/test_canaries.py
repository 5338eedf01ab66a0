"""The meanings of the canaries."""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from mpsdoctor.facts.probes.canaries import CANARIES
from mpsdoctor.knowledge.canaries import MEANINGS

VOLUMES = ("Conv3d(", "TemporalConvLayer(", "TemporalResnetBlock(", "unet_3d_blocks import")


def classes(folder: str, *words: str) -> Iterator[ast.ClassDef]:
    """The classes in those files of Diffusers that contain one of `words`; imports nothing."""
    spec = find_spec("diffusers")
    assert spec
    assert spec.origin
    for path in (Path(spec.origin).parent / folder).rglob("*.py"):
        text = path.read_text("utf-8")
        if any(word in text for word in words):
            yield from (node for node in ast.parse(text).body if isinstance(node, ast.ClassDef))


def parts(pipeline: ast.ClassDef) -> set[str]:
    """The names in the annotations of a pipeline's components."""
    made = [one for one in pipeline.body if isinstance(one, ast.FunctionDef)]
    arguments = [one.args.args for one in made if one.name == "__init__"]
    annotations = [one.annotation for args in arguments for one in args if one.annotation]
    return set(re.findall(r"\w+", " ".join(map(ast.unparse, annotations))))


def test_every_canary_has_a_meaning() -> None:
    """Every canary has a meaning, and no other name has one."""
    assert [one.name for one in CANARIES] == list(MEANINGS)


def test_the_pipelines_that_convolve_in_three_dimensions_are_known() -> None:
    """Each pipeline of Diffusers with such a model needs conv3d; the common ones do not."""
    volumes = {node.name for node in classes("models", *VOLUMES)}
    conv3d = MEANINGS["conv3d"]
    needing = {
        node.name
        for node in classes("pipelines", *volumes)
        if node.name.endswith("Pipeline") and parts(node) & volumes
    }
    assert "WanPipeline" in needing
    assert {name for name in needing if conv3d.is_tolerable("my/own", name)} == set()
    common = ("StableDiffusion", "StableDiffusionXL", "StableDiffusion3", "Flux", "Flux2Klein")
    others = (*common, "ZImage", "Sana", "PixArtSigma", "HunyuanDiT", "Kandinsky", "Kolors")
    for name in others:
        assert conv3d.is_tolerable("my/own", f"{name}Pipeline")
    assert conv3d.is_tolerable("shapes", None)
    assert not conv3d.is_tolerable("Qwen/Qwen-Image", None)
