"""The settings of a profile that known faults require."""

import pytest

from mpsdoctor.knowledge import settings
from mpsdoctor.knowledge.device import Device
from mpsdoctor.knowledge.versions import parse

SETTINGS = ("device", "attention", "vae_tiling", "vae_slicing", "prime", "one_prompt_at_a_time")
METAL = {"PYTORCH_MPS_METAL_VERSION": ("3.2", "conv3d-wrong-macos-26-2")}
FALLBACK = {"PYTORCH_ENABLE_MPS_FALLBACK": ("1", "cumsum-of-integers")}


def device(torch: str, macos: str, chip: str | None, *wrong: str) -> Device:
    return Device(torch=parse(torch), macos=parse(macos), chip=chip, wrong=wrong)


def required(found: Device) -> dict[str, str]:
    """The fault that requires each setting, for the number formats by value."""
    asked = {name: settings.asking_for(name, found) for name in SETTINGS}
    asked |= {
        value: settings.asking_for("dtype", found, value)
        for value in ("float16", "bfloat16", "float32")
    }
    return {name: fault.id for name, fault in asked.items() if fault}


RANDOM, ABORT, LEAK = "linear-random-on-m5", "layer-norm-float16-abort", "causal-mask-leak"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        # Well confirmed, on ordinary pictures: noise on this chip, or the end of the process.
        (device("2.12.1", "15.5", "Apple M5"), {"float16": RANDOM, "bfloat16": RANDOM}),
        (device("2.11.0", "15.5", "Apple M5"), {"float16": RANDOM, "bfloat16": RANDOM}),
        (device("2.0.1", "13.4", None), {"float16": ABORT}),
        # Noise on another chip or on an unknown one, or with an unverified or fixed release.
        (device("2.12.1", "15.5", "Apple M4"), {}),
        (device("2.12.1", "15.5", None), {}),
        (device("2.10.0", "15.5", "Apple M5"), {}),
        (device("2.13.0", "15.5", "Apple M5"), {}),
        # Noise that is less well confirmed, and noise on any chip.
        (device("2.2.2", "13.4", "Intel(R) Core(TM) i9"), {}),
        (device("2.10.0", "15.5", "Apple M1"), {}),
        # A canary shows the fault on this machine.
        (device("2.10.0", "15.5", "Apple M1", "sdpa-causal"), {"float16": LEAK, "bfloat16": LEAK}),
        (
            device("2.6.0", "14.7", "Apple M2", "baddbmm-beta-zero"),
            {"attention": "baddbmm-beta-zero-nan"},
        ),
        (
            device("2.9.1", "26.2", "Apple M5", "conv-chunk"),
            {"one_prompt_at_a_time": "conv-chunk-first-only"},
        ),
    ],
    ids=str,
)
def test_only_a_fault_that_is_sure_and_serious_requires_a_setting(
    found: Device, expected: dict[str, str]
) -> None:
    """Settings cost time or memory, so a fault that only may occur requires none."""
    assert required(found) == expected


def test_a_value_that_avoids_the_fault_is_left_alone() -> None:
    """A setting is required only if its value differs."""
    slicing = device("2.6.0", "14.7", "Apple M2", "baddbmm-beta-zero")
    assert settings.asking_for("attention", slicing, "native") is None
    assert settings.asking_for("attention", slicing, "sliced") is not None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (device("2.14.1", "26.2", None, "conv3d"), {}),
        (device("2.15.0", "26.2", None, "conv3d"), METAL),
        (device("2.15.0", "26.2", None), {}),
        (device("2.0.1", "13.2", None, "cumsum"), FALLBACK),
        (device("2.0.1", "13.3", None, "cumsum"), {}),
        (device("2.10.0", "15.5", "Apple M1"), {}),
        (device("2.15.0", "26.2", None, "conv3d", "baddbmm-beta-zero"), METAL),
    ],
    ids=str,
)
def test_variables_are_those_of_faults_that_this_torch_reads(
    found: Device, expected: dict[str, tuple[str, str]]
) -> None:
    """Each variable has the value and the id of the fault that requires it."""
    variables = settings.environment(found)
    assert {name: (value, fault.id) for name, (value, fault) in variables.items()} == expected


@pytest.mark.parametrize(
    ("torch", "hit"),
    [("1.13.1", False), ("2.0.0", True), ("2.13.1", True), ("2.14.0", False), (None, True)],
)
def test_slicing_gives_nan_in_some_releases(torch: str | None, hit: bool) -> None:
    """An unknown release is assumed to have the fault."""
    fault = settings.slicing(Device(torch=parse(torch)))
    assert (fault.id if fault else None) == ("baddbmm-beta-zero-nan" if hit else None)
