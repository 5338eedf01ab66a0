"""The report and the profile that are made from the same facts never contradict each other."""

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mpsdoctor.checks.families import canaries, memory, picture
from mpsdoctor.checks.report import Finding, NoAnswerError, Severity
from mpsdoctor.facts.records import (
    Canary,
    CanaryStatus,
    Facts,
    Hardware,
    Memory,
    ModelFiles,
    ModelState,
    Picture,
    PictureStatus,
    ProbeOutcome,
    ProfileFile,
    Python,
    System,
    Torch,
)
from mpsdoctor.knowledge import floors
from mpsdoctor.knowledge.canaries import MEANINGS, Meaning
from mpsdoctor.knowledge.gpu_limit import usual_working_set
from mpsdoctor.planning.forecast import machine_of
from mpsdoctor.profile.choice import Choices
from mpsdoctor.tuning.needs import Needs
from mpsdoctor.tuning.rules import tune
from mpsdoctor.units import gib
from tests.support.machines import MACHINES

pytestmark = pytest.mark.heavy

WRONG = (CanaryStatus.WRONG, CanaryStatus.FAILED)
LOST = (CanaryStatus.CRASHED, CanaryStatus.TIMED_OUT)
"""With one of these, whether the machine can render is not known, which outweighs a warning."""

MODELS = (
    ("shapes", "StableDiffusionPipeline"),
    ("stabilityai/stable-diffusion-xl-base-1.0", "StableDiffusionXLPipeline"),
    ("black-forest-labs/FLUX.1-dev", None),
    ("Qwen/Qwen-Image", "QwenImagePipeline"),
    ("Kwai-Kolors/Kolors-diffusers", "KolorsPipeline"),
    ("my/own", "WanPipeline"),
)


def on_disk(facts: Facts, model: tuple[str, str | None]) -> Facts:
    """The machine with that model on its disk, and named."""
    name, pipeline = model
    files = ModelFiles(model=name, state=ModelState.COMPLETE, pipeline=pipeline)
    return replace(facts, model_files=files)


def mac(
    torch: str,
    macos: str,
    chip: str,
    statuses: dict[str, CanaryStatus],
    wrong_picture: str | None,
    model: tuple[str, str | None],
) -> Facts:
    """A Mac with mps, and what was tried out on it."""
    facts = Facts(
        system=System(kernel="Darwin", macos_version=macos),
        hardware=Hardware(apple_silicon=True, chip=chip, ram_bytes=32 * 2**30),
        python=Python(version="3.12.8", machine="arm64"),
        torch=Torch(
            outcome=ProbeOutcome.ANSWERED, version=torch, mps_built=True, mps_available=True
        ),
        canaries=tuple(Canary(name=name, status=status) for name, status in statuses.items()),
        picture=Picture(status=PictureStatus.WRONG, device="mps", dtype=wrong_picture)
        if wrong_picture
        else None,
    )
    return on_disk(facts, model)


machines = st.builds(
    mac,
    torch=st.sampled_from([str(row.torch) for row in floors.load().wheels] + ["2.4.0", "3.1"]),
    macos=st.sampled_from(["13.2.1", "14.4", "14.7.4", "15.3", "26.2", "26.4.1", "26.7", "27.0"]),
    chip=st.sampled_from(["Apple M1", "Apple M2 Max", "Apple M4 Pro", "Apple M5", "Apple M9"]),
    statuses=st.dictionaries(
        st.sampled_from([*MEANINGS, "of-a-newer-version"]), st.sampled_from(CanaryStatus)
    ),
    wrong_picture=st.sampled_from([None, None, None, "float16", "bfloat16", "float32"]),
    model=st.sampled_from(MODELS),
)


def findings(facts: Facts) -> list[Finding]:
    """What MPS305 and MPS312 find."""
    found = []
    for check in (canaries.arithmetic, picture.same_as_on_the_cpu):
        with suppress(NoAnswerError):
            found.append(check(facts))
    return [finding for finding in found if finding]


def agree(facts: Facts) -> Choices:
    """Whether report and profile say the same; the profile."""
    assert facts.model_files
    model, pipeline = facts.model_files.model, facts.model_files.pipeline
    choices = tune(facts, Needs(model, pipeline=pipeline))
    found = findings(facts)
    errors = [finding for finding in found if finding.severity is Severity.ERROR]
    assert bool(errors) is (choices["device"].value == "cpu")
    assert all("profile renders on the CPU" in finding.remedy.text for finding in errors)

    harmful = [one for one in facts.canaries or () if is_harmful(one, choices, facts)]
    wrong_picture = facts.picture is not None and (
        facts.picture.dtype == "float32" or choices["dtype"].value != "float32"
    )
    if choices["device"].value == "mps":
        assert not harmful
        assert not wrong_picture
        needed = [one for one in facts.canaries or () if is_needed(one, facts)]
        lost = [one for one in facts.canaries or () if one.status in LOST]
        if (needed and not lost) or facts.picture:
            text = f"it renders in {choices['dtype'].value}"
            assert any(text in finding.remedy.text for finding in found)
    return choices


def is_needed(canary: Canary, facts: Facts) -> bool:
    """Whether it is wrong, and the model needs it."""
    assert facts.model_files
    meaning = MEANINGS.get(canary.name) or Meaning(canary.name, "")
    files = facts.model_files
    return canary.status in WRONG and not meaning.is_tolerable(files.model, files.pipeline)


def is_harmful(canary: Canary, choices: Choices, facts: Facts) -> bool:
    """Whether pictures in the profile's number format suffer, so that the device must not render.

    A variable that the profile sets against the canary's own fault helps.
    """
    meaning = MEANINGS.get(canary.name) or Meaning(canary.name, "")
    helped = canary.name == "conv3d" and choices["environment.PYTORCH_MPS_METAL_VERSION"].value
    struck = not meaning.dtypes or choices["dtype"].value in meaning.dtypes
    return is_needed(canary, facts) and struck and not helped


@given(machines)
def test_what_the_report_calls_wrong_the_profile_avoids(facts: Facts) -> None:
    """An error about its arithmetic goes with the CPU; where the GPU renders, none is left."""
    agree(facts)


@pytest.mark.parametrize("path", sorted(MACHINES.glob("*.json")), ids=lambda path: path.stem)
def test_recorded_machines_on_which_one_canary_fails(path: Path) -> None:
    """Whichever it is, and whatever the model."""
    recorded = msgspec.json.decode(path.read_bytes(), type=Facts)
    if not (recorded.torch and recorded.torch.mps_available):
        recorded = replace(
            recorded, torch=Torch(outcome=ProbeOutcome.ANSWERED, mps_available=True), picture=None
        )
    for name in MEANINGS:
        failed = (Canary(name=name, status=CanaryStatus.WRONG),)
        for model in MODELS:
            agree(on_disk(replace(recorded, canaries=failed), model))


@pytest.mark.parametrize(
    ("machine", "failed", "model", "tuned", "severity"),
    [
        # A cure that is known: the format that it names, and a warning.
        (("2.12.1", "26.3", "Apple M5"), "linear-twice-bf16", 0, ("mps", "float32"), "warning"),
        (("2.8.0", "15.6", "Apple M3"), "sdpa", 0, ("mps", "bfloat16"), "warning"),
        # None that is known: the CPU, and an error.
        (("2.13.0", "26.4", "Apple M1"), "linear-bias", 0, ("cpu", "float32"), "error"),
        (("2.14.1", "15.6", "Apple M3"), "int64", 0, ("cpu", "float32"), "error"),
        (("2.15.0", "26.7", "Apple M4"), "layer-norm-float16", 0, ("cpu", "float32"), "error"),
        (("2.14.1", "15.6", "Apple M3"), "linear-twice-bf16", 2, ("cpu", "float32"), "error"),
        (("2.4.0", "14.7.4", "Apple M2"), "layer-norm-float16", 2, ("cpu", "float32"), "error"),
        # Another format than the model's own.
        (("2.15.0", "26.7", "Apple M4"), "layer-norm-float16", 2, ("mps", "bfloat16"), "warning"),
        # Only a model that convolves in three dimensions needs it, and PyTorch 2.15 can avoid it.
        (("2.14.1", "26.2", "Apple M4"), "conv3d", 1, ("mps", "float16"), "warning"),
        (("2.14.1", "26.2", "Apple M4"), "conv3d", 3, ("cpu", "float32"), "error"),
        (("2.15.0", "26.2", "Apple M4"), "conv3d", 3, ("mps", "bfloat16"), "warning"),
    ],
)
def test_a_failed_canary_moves_the_format_or_the_device(
    machine: tuple[str, str, str],
    failed: str,
    model: int,
    tuned: tuple[str, str],
    severity: str,
) -> None:
    """What is known to help is used; what is not known leaves the CPU, with the canary's reason."""
    facts = mac(*machine, {failed: CanaryStatus.WRONG}, None, MODELS[model])
    choices = agree(facts)
    assert tuned == (choices["device"].value, choices["dtype"].value)
    assert [severity] == [finding.severity.value for finding in findings(facts)]
    if tuned[0] == "cpu":
        assert choices["device"].rule == f"canary {failed}"
        assert f"failed canaries {failed}" in choices["device"].facts
    reads = machine[0] >= "2.15" and failed == "conv3d"
    assert reads is bool(choices["environment.PYTORCH_MPS_METAL_VERSION"].value)


def test_two_cures_are_followed_to_the_format_that_both_allow() -> None:
    """What attention asks for, bfloat16, linear layers get wrong."""
    failed = dict.fromkeys(("sdpa", "linear-twice-bf16"), CanaryStatus.WRONG)
    choices = agree(mac("2.12.1", "26.3", "Apple M5", failed, None, MODELS[0]))
    assert (choices["device"].value, choices["dtype"].value) == ("mps", "float32")


def test_a_right_canary_gives_back_what_its_fault_took() -> None:
    """On PyTorch 2.0 layer norm in float16 aborts, unless it was seen not to."""
    facts = mac("2.0.1", "13.6", "Apple M1", {}, None, MODELS[0])
    right = replace(
        facts, canaries=(Canary(name="layer-norm-float16", status=CanaryStatus.OK, error=0.0),)
    )
    assert "float32" == agree(facts)["dtype"].value
    assert "float16" == agree(right)["dtype"].value


def test_luck_gives_nothing_back() -> None:
    """On M5 linear layers that were right twice can be wrong the third time."""
    statuses = dict.fromkeys(MEANINGS, CanaryStatus.OK)
    choices = agree(mac("2.12.1", "27.0", "Apple M5", statuses, None, MODELS[0]))
    assert "float32" == choices["dtype"].value


def test_what_is_set_by_hand_against_it_is_an_error_that_names_the_line() -> None:
    """The tuned value is right, but it is not in force."""
    wrong = {"linear-twice-bf16": CanaryStatus.WRONG}
    facts = mac("2.12.1", "26.3", "Apple M5", wrong, None, MODELS[0])
    profile = ProfileFile(path="/p.toml", settings={"dtype": "float16"}, pinned=("dtype",))
    [finding] = findings(replace(facts, profile=profile))
    assert Severity.ERROR is finding.severity
    assert 'dtype = "float16" is set by hand in /p.toml' in finding.remedy.text
    assert Severity.WARNING is findings(facts)[0].severity


recorded_machines = st.sampled_from(sorted(MACHINES.glob("*.json"))).map(
    lambda path: msgspec.json.decode(path.read_bytes(), type=Facts)
)
amounts = st.none() | st.integers(0, 600 * 1024).map(lambda mib: mib * 2**20)


@given(recorded_machines, amounts, amounts)
def test_report_plan_and_profile_name_one_gpu_limit(
    recorded: Facts, wired: int | None, metal: int | None
) -> None:
    """Whatever a Mac says of it: a finding's amount is what a plan and the profile reckon with."""
    memory_now = recorded.memory
    if wired is not None or metal is not None:
        memory_now = Memory(wired_limit_bytes=wired, working_set_bytes=metal)
    facts = replace(recorded, system=replace(recorded.system, kernel="Darwin"), memory=memory_now)
    limit = machine_of(facts).limit_bytes
    for check in (memory.working_set, memory.wired_limit):
        with suppress(NoAnswerError):
            if finding := check(facts):
                assert limit is not None
                assert f"may hold {gib(limit)} of" in finding.observed
    choices = tune(on_gpu(facts), Needs("shapes"))
    high = choices["environment.PYTORCH_MPS_HIGH_WATERMARK_RATIO"].value
    ram = facts.hardware.ram_bytes
    if ram and limit:
        assert float(str(high)) * limit <= max(0.84 * ram, usual_working_set(ram))


def on_gpu(facts: Facts) -> Facts:
    """The machine with a PyTorch that has its GPU, and nothing that speaks against it."""
    torch = Torch(outcome=ProbeOutcome.ANSWERED, version="2.14.1", mps_available=True)
    return replace(facts, torch=torch, canaries=None, picture=None)
