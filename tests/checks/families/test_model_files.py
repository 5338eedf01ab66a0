"""MPS603 to MPS608: packages that fit each other, and the profile's model."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.checks.report import Finding, NoAnswerError, Severity
from mpsdoctor.checks.runner import examine
from mpsdoctor.facts.records import (
    Environment,
    Facts,
    Hardware,
    Memory,
    ModelFiles,
    ModelState,
    System,
)
from mpsdoctor.knowledge import dtypes
from mpsdoctor.planning import catalogue
from mpsdoctor.planning.needs import of_model
from mpsdoctor.reports.verdict import verdict
from mpsdoctor.tuning.needs import Needs, needs_of
from mpsdoctor.tuning.rules import tune
from tests.support.machines import MACHINES

BY_ID = {check.id: check for check in CHECKS}
MAC = msgspec.json.decode(
    (MACHINES / "m2-pro-macos-14.7.4-torch-2.6.0.json").read_text(),
    type=Facts,
)
REQUIREMENTS = {
    "diffusers": ("huggingface-hub<3.0,>=1.32.0", "safetensors>=0.8.0"),
    "diffusers[torch]": ("torch>=2.6", "accelerate>=0.31.0"),
    "transformers": ("tokenizers<0.24.0,>=0.23.1",),
    "accelerate": ("torch>=2.0.0",),
    "mpsdoctor[render]": ("torch>=2.6", "diffusers<0.43,>=0.35"),
}
PACKAGES = {
    "torch": "2.13.0+cpu",
    "diffusers": "0.42.1",
    "transformers": "5.23.0",
    "accelerate": "1.15.0",
    "safetensors": "0.8.0",
    "huggingface-hub": "2.4.0",
    "tokenizers": "0.23.3",
}


def with_packages(**changes: str | None) -> Facts:
    """A Mac with packages that fit, except `changes`; None removes a package."""
    named = {name.replace("_", "-"): version for name, version in changes.items()}
    packages = {name: version for name, version in {**PACKAGES, **named}.items() if version}
    return replace(MAC, packages=packages, requirements=REQUIREMENTS)


def with_model(files: ModelFiles | None, **values: str) -> Facts:
    """A Mac whose profile names a model, with these variables."""
    environment = Environment(variables=dict(values))
    return replace(MAC, model_files=files, environment=environment)


def files(
    state: ModelState = ModelState.COMPLETE,
    model: str = "org/name",
    pipeline: str | None = None,
    dtype: str | None = None,
    missing: tuple[str, ...] = (),
) -> ModelFiles:
    """A model on this disk."""
    return ModelFiles(
        model=model,
        state=state,
        pipeline=pipeline,
        missing=missing,
        dtype=dtype,
        pickled=("unet",) if state is ModelState.PICKLED else (),
    )


def severity(finding: Finding | None) -> Severity | None:
    """How much it matters, if there is one."""
    return finding.severity if finding else None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"huggingface_hub": "0.29.3"}, Severity.ERROR),
        ({"huggingface_hub": "3.0.0"}, Severity.ERROR),
        ({"huggingface_hub": "2.5.0.dev0"}, None),
        ({"tokenizers": "0.24.0"}, Severity.ERROR),
        ({"safetensors": None}, Severity.ERROR),
        ({"torch": "2.5.1"}, Severity.WARNING),
        ({"torch": "2.6.0"}, None),
        ({"torch": "2.6.0.dev20250101"}, Severity.WARNING),
        ({"torch": None}, None),
        ({"accelerate": "0.30.0"}, Severity.WARNING),
        ({"accelerate": None}, None),
        ({"diffusers": None, "huggingface_hub": "0.29.3"}, None),
        ({"safetensors": "no version"}, None),
    ],
)
def test_packages_that_do_not_fit_are_told(
    changes: dict[str, str | None], expected: Severity | None
) -> None:
    """A package's own requirement is an error, its torch extra's a warning."""
    assert severity(BY_ID["MPS603"].examine(with_packages(**changes))) is expected


def test_one_line_installs_versions_that_fit() -> None:
    """pip chooses what installed packages need; PyTorch is the newest for this macOS."""
    finding = BY_ID["MPS603"].examine(with_packages(huggingface_hub="0.29.3"))
    assert finding is not None
    assert (
        "diffusers needs huggingface-hub<3.0,>=1.32.0, but 0.29.3 is installed" in finding.observed
    )
    assert finding.remedy.commands == ("python3 -m pip install diffusers",)
    finding = BY_ID["MPS603"].examine(with_packages(accelerate="0.30.0", tokenizers="0.24.0"))
    assert finding is not None
    assert finding.remedy.commands == (
        "python3 -m pip install diffusers transformers 'accelerate>=0.31.0'",
    )
    finding = BY_ID["MPS603"].examine(with_packages(torch="2.5.1"))
    assert finding is not None
    assert finding.remedy.commands == ("python3 -m pip install torch==2.14.1",)


@pytest.mark.parametrize(
    ("torch", "diffusers", "needed"),
    [
        ("2.6.0", "0.42.1", None),
        ("2.5.1", "0.42.1", "torch>=2.6"),
        ("2.6.0", "0.43.0", "diffusers<0.43,>=0.35"),
        ("2.0.1", "0.21.4", "torch>=2.6 and diffusers<0.43,>=0.35"),
    ],
)
def test_what_mpsdoctor_needs_to_render_limits_the_verdict(
    torch: str, diffusers: str, needed: str | None
) -> None:
    """It is a warning that the verdict repeats, because other code can work with less."""
    report = examine(with_packages(torch=torch, diffusers=diffusers, mpsdoctor="0.1.0"))
    found = {result.id: result.finding for result in report.results}["MPS603"]
    assert severity(found) is (Severity.WARNING if needed else None)
    caveat = f", but only with your own code: mpsdoctor needs {needed}" if needed else ""
    assert verdict(report) == f"Ready to render on mps{caveat}"
    assert found is None or "install mpsdoctor" not in " ".join(found.remedy.commands)


@pytest.mark.parametrize("facts", [MAC, replace(MAC, packages=None, requirements={})])
def test_without_metadata_nobody_can_say_that_packages_fit(facts: Facts) -> None:
    """The packages and their requirements must both be known."""
    with pytest.raises(NoAnswerError, match="not known"):
        BY_ID["MPS603"].examine(facts)


def test_accelerate_is_asked_for() -> None:
    """Models load without it, at twice the memory."""
    assert severity(BY_ID["MPS604"].examine(with_packages(accelerate=None))) is Severity.WARNING
    assert BY_ID["MPS604"].examine(with_packages()) is None


@pytest.mark.parametrize(
    ("state", "offline", "expected"),
    [
        (ModelState.COMPLETE, "", None),
        (ModelState.PICKLED, "1", None),
        (ModelState.ABSENT, "", Severity.NOTE),
        (ModelState.ABSENT, "0", Severity.NOTE),
        (ModelState.ABSENT, "TRUE", Severity.WARNING),
        (ModelState.PARTIAL, "", Severity.WARNING),
    ],
)
def test_a_model_is_here_or_can_come(
    state: ModelState, offline: str, expected: Severity | None
) -> None:
    """A partial model is a warning, and so is a missing one without downloads."""
    facts = with_model(files(state, missing=("unet/config.json",)), HF_HUB_OFFLINE=offline)
    finding = BY_ID["MPS605"].examine(facts)
    assert severity(finding) is expected
    assert finding is None or finding.remedy.commands == ("mpsdoctor pull org/name",)


def test_many_gaps_are_counted() -> None:
    """Five missing files are named, the others counted."""
    gaps = tuple(f"unet/{number}" for number in range(8))
    finding = BY_ID["MPS605"].examine(with_model(files(ModelState.PARTIAL, missing=gaps)))
    assert finding is not None
    assert "missing are unet/0, unet/1, unet/2, unet/3, unet/4 and 3 more." in finding.observed


@pytest.mark.parametrize("model", ["/models/mine", "~/mine", "./mine", "shapes"])
def test_what_is_not_on_the_hub_is_not_downloaded(model: str) -> None:
    """A folder and the embedded model are not downloaded."""
    finding = BY_ID["MPS605"].examine(with_model(files(ModelState.PARTIAL, model, missing=("x",))))
    assert finding is not None
    assert finding.remedy.commands == ()


def test_pickles_are_a_warning() -> None:
    """Pickles are named by component; safetensors are in order."""
    finding = BY_ID["MPS606"].examine(with_model(files(ModelState.PICKLED)))
    assert finding is not None
    assert finding.severity is Severity.WARNING
    assert "unet" in finding.observed
    assert BY_ID["MPS606"].examine(with_model(files())) is None


@pytest.mark.parametrize("state", [ModelState.PARTIAL, ModelState.ABSENT])
def test_a_model_that_is_not_whole_has_no_known_format(state: ModelState) -> None:
    """An incomplete model may have safetensors later."""
    with pytest.raises(NoAnswerError, match="incomplete"):
        BY_ID["MPS606"].examine(with_model(files(state)))


def test_a_folder_of_pickles_is_not_called_incomplete() -> None:
    """The remedy for a folder of pickles is a setting, not a download."""
    finding = BY_ID["MPS606"].examine(with_model(files(ModelState.PICKLED, model="/models/mine")))
    assert finding is not None
    assert "use_safetensors = false" in finding.remedy.text
    assert finding.remedy.commands == ()


@pytest.mark.parametrize(
    ("pipeline", "model", "dtype", "use"),
    [
        ("FluxPipeline", "me/finetune", "float16", "bfloat16"),
        ("FluxKontextPipeline", "me/finetune", "float16", "bfloat16"),
        ("FluxPipeline", "me/finetune", "bfloat16", None),
        ("CogView4Pipeline", "me/finetune", "float16", "bfloat16"),
        ("StableDiffusion3Pipeline", "me/finetune", "float16", None),
        ("ZImagePipeline", "me/finetune", "float16", "bfloat16"),
        ("QwenImageEditPipeline", "me/finetune", "float16", "bfloat16"),
        ("KolorsPipeline", "me/finetune", "float16", "float32"),
        ("KolorsPipeline", "me/finetune", "float32", None),
        ("IFPipeline", "me/finetune", "float16", "float32"),
        ("SanaPipeline", "me/finetune", "float16", "bfloat16"),
        ("StableDiffusionXLPipeline", "black-forest-labs/FLUX.1-fake", "float16", None),
        (None, "black-forest-labs/FLUX.1-schnell", "float16", "bfloat16"),
        (None, "Tongyi-MAI/Z-Image-Turbo", "float16", "bfloat16"),
        (None, "stabilityai/stable-diffusion-xl-base-1.0", "float16", None),
    ],
)
def test_a_format_that_fails_is_told_with_one_that_works(
    pipeline: str | None, model: str, dtype: str, use: str | None
) -> None:
    """The pipeline's class counts, or the model's name if it is not on this disk."""
    facts = with_model(files(model=model, pipeline=pipeline, dtype=dtype))
    finding = BY_ID["MPS607"].examine(facts)
    assert use == (finding.expected if finding else None)
    assert severity(finding) in (None, Severity.WARNING)


@pytest.mark.parametrize("pipeline", ["HiDreamImagePipeline", "Flux2KleinPipeline"])
def test_float16_is_noted_where_nobody_is_known_to_render_in_it(pipeline: str) -> None:
    """A transformer that its authors run in bfloat16 may exceed the range of float16."""
    finding = BY_ID["MPS607"].examine(with_model(files(pipeline=pipeline, dtype="float16")))

    assert finding is not None
    assert (Severity.NOTE, "bfloat16") == (finding.severity, finding.expected)


@pytest.mark.parametrize(
    ("pipeline", "dtype", "use"),
    [
        ("HiDreamImagePipeline", "bfloat16", "float32"),
        ("FluxPipeline", "bfloat16", "float32"),
        ("FluxPipeline", "float16", "float32"),
        ("StableDiffusionXLPipeline", "bfloat16", "float16"),
    ],
)
def test_before_macos_14_there_is_no_bfloat16(pipeline: str, dtype: str, use: str) -> None:
    """The finding expects the format that the profile is tuned to."""
    model = files(pipeline=pipeline, dtype=dtype)
    old = replace(with_model(model), system=System(kernel="Darwin", macos_version="13.6"))
    finding = BY_ID["MPS607"].examine(old)
    assert finding is not None
    tuned = tune(old, Needs(model.model, pipeline=pipeline))["dtype"].value
    assert (use, use) == (finding.expected, tuned)


def test_bfloat16_is_in_order_only_where_mps_is_known_to_have_it() -> None:
    """Without the macOS version there is no answer."""
    facts = with_model(files(pipeline="FluxPipeline", dtype="bfloat16"))
    with pytest.raises(NoAnswerError, match="bfloat16"):
        BY_ID["MPS607"].examine(replace(facts, system=System(kernel="Darwin")))


@pytest.mark.parametrize("name", ["sd15", "sdxl", "sd3-medium", "flux1-dev", "qwen-image"])
@pytest.mark.parametrize("ram", [4, 8, 16, 24, 36, 64, 128])
def test_report_and_profile_agree_on_what_fits(name: str, ram: int) -> None:
    """A model that fits at no size is found, limits the verdict, and is not downloaded."""
    entry = catalogue.load()[name]
    shipped = of_model(entry.model)
    assert shipped is not None
    absent = files(ModelState.ABSENT, entry.model, entry.pipeline)
    facts = replace(
        with_model(absent), hardware=Hardware(apple_silicon=True, ram_bytes=ram * 2**30)
    )
    choices = tune(facts, needs_of(entry.model, entry, shipped.footprints))
    misfit = choices["largest_side"].value is None

    finding = BY_ID["MPS608"].examine(facts)

    assert (finding is not None) is misfit
    missing = BY_ID["MPS605"].examine(facts)
    assert missing is not None
    assert bool(missing.remedy.commands) is not misfit
    told = f", but not with {entry.model}, which does not fit in this Mac's memory"
    assert verdict(examine(facts)) == f"Ready to render on mps{told if misfit else ''}"
    if finding:
        assert finding.remedy.commands == (f"mpsdoctor plan {entry.model}",)
        takes = finding.observed.partition(" takes ")[2].partition(" at ")[0]
        assert f"forecast of {takes} at" in choices["attention"].reason


@pytest.mark.parametrize("model", ["nobody/knows", "/models/mine", "stabilityai/sdxl-turbo"])
def test_what_is_not_known_is_not_called_fitting(model: str) -> None:
    """Without the model's needs or the Mac's memory there is no answer."""
    facts = replace(with_model(files(model=model)), hardware=Hardware(), memory=Memory())
    with pytest.raises(NoAnswerError, match="not known"):
        BY_ID["MPS608"].examine(facts)


formats = st.sampled_from(["float16", "bfloat16", "float32"])
pipelines = st.sampled_from([name for row in dtypes.load().model for name in row.pipelines])


@given(
    model=st.text() | st.sampled_from([entry.model for entry in catalogue.load().values()]),
    pipeline=st.none() | st.text() | pipelines,
    dtype=st.text() | formats,
)
def test_any_model_gives_an_answer(model: str, pipeline: str | None, dtype: str) -> None:
    """Any finding names the model and its format, and expects another one that is in order."""

    def examined(dtype: str) -> Finding | None:
        named = files(model=model, pipeline=pipeline, dtype=dtype)
        return BY_ID["MPS607"].examine(with_model(named))

    finding = examined(dtype)

    if finding is not None:
        assert f"{model} would be loaded in {dtype}." == finding.observed
        assert dtype != finding.expected
        assert examined(finding.expected) is None


def test_every_family_has_a_format_that_works() -> None:
    """No family is tuned to a format that fails."""
    for row in dtypes.load().model:
        assert row.use not in row.fails
        assert row.pipelines
        assert row.sources
