"""What Diffusers' page on mps would choose."""

import pytest

from mpsdoctor.facts.records import Facts, Hardware, ProbeOutcome, Python, System, Torch
from mpsdoctor.profile.choice import Choice
from mpsdoctor.tuning.guide import guide
from mpsdoctor.tuning.needs import Needs
from mpsdoctor.tuning.sources import GUIDE
from mpsdoctor.units import GIB

FEW = "This Mac has less than 64 GiB of memory."
LARGE = "The pictures exceed 512×512."
ENOUGH = "64 GiB of memory, and pictures of 512×512."


@pytest.mark.parametrize(
    ("ram_bytes", "side", "torch", "attention", "why", "prime"),
    [
        (None, 512, None, "sliced", FEW, False),
        (64 * GIB - 1, 512, "1.13.1", "sliced", FEW, True),
        (64 * GIB, 512, "2.0.0", "native", ENOUGH, False),
        (64 * GIB, None, "2.0.0.dev20230101", "native", ENOUGH, False),
        (64 * GIB, 513, "1.99", "sliced", LARGE, True),
    ],
)
def test_it_knows_memory_size_and_torch(
    ram_bytes: int | None,
    side: int | None,
    torch: str | None,
    attention: str,
    why: str,
    prime: bool,
) -> None:
    """Each setting that the page mentions, with its reason; nothing else counts."""
    answered = Torch(outcome=ProbeOutcome.ANSWERED, version=torch) if torch else None
    facts = Facts(
        system=System(kernel="Darwin"),
        hardware=Hardware(ram_bytes=ram_bytes),
        python=Python(version="3.11.9", machine="arm64"),
        torch=answered,
    )

    assert guide(facts, Needs("org/model", side=side)) == {
        name: Choice(value, reason, "guide", (GUIDE,))
        for name, value, reason in (
            ("model", "org/model", "The same model."),
            ("device", "mps", 'pipe = pipe.to("mps")'),
            ("attention", attention, why),
            ("prime", prime, "On torch 1.13 a first pass must be discarded."),
            ("one_prompt_at_a_time", True, "Iterate instead of batching: a batch can crash."),
        )
    }
