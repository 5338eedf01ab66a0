"""The mps device of a machine, from its facts."""

from typing import Literal

import pytest
from packaging.version import Version

from mpsdoctor.facts.records import (
    Canary,
    CanaryStatus,
    Facts,
    Hardware,
    Picture,
    PictureStatus,
    Python,
    System,
)
from mpsdoctor.knowledge.device import Device, device_of


@pytest.mark.parametrize("device", ["mps", "cpu"])
@pytest.mark.parametrize("status", PictureStatus)
def test_a_device_is_what_the_facts_say_about_mps(
    device: Literal["mps", "cpu"], status: PictureStatus
) -> None:
    """Wrong and failed results count, those of the CPU do not, and versions are releases."""
    facts = Facts(
        system=System(kernel="Darwin", macos_version="26.3.1"),
        hardware=Hardware(chip="Apple M1 Pro"),
        python=Python(),
        packages={"torch": "2.13.0.dev20260401"},
        canaries=tuple(
            Canary(name=f"{one.value} on {where}", status=one, device=where)
            for one in CanaryStatus
            for where in ("mps", "cpu")
        ),
        picture=Picture(status=status, device=device, dtype="bfloat16"),
    )
    wrong = status in {PictureStatus.WRONG, PictureStatus.FAILED, PictureStatus.COMPARED}

    assert device_of(facts) == Device(
        torch=Version("2.13.0"),
        macos=Version("26.3.1"),
        chip="Apple M1 Pro",
        # Without an error, a compared canary is wrong; without differences, so is the picture.
        wrong=("compared on mps", "wrong on mps", "failed on mps"),
        right=("ok on mps",),
        wrong_picture="bfloat16" if wrong and device == "mps" else None,
    )


def test_a_machine_without_facts_can_be_any_device() -> None:
    """Unknown facts stay unknown."""
    assert device_of(Facts(system=System(kernel="Linux"), python=Python())) == Device()
