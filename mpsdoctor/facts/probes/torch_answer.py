"""Asks torch in a child process, and reads the answers however the child ended."""

from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from mpsdoctor.facts.child import how_it_ended, objects
from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.probes import canary_answer
from mpsdoctor.facts.records import Canary, CanaryStatus, ProbeOutcome, Torch

PROBE = Path(__file__).with_name("mps_probe.py")


class Answer(NamedTuple):
    """What torch reported, and the results of its canaries; None if not requested.

    An empty tuple of canaries means that the process ended before the first one.
    """

    torch: Torch | None = None
    canaries: tuple[Canary, ...] | None = None


def ask(
    run: Runner,
    executable: str,
    deadline: float,
    canaries_on: Literal["mps", "cpu"] | None = None,
) -> Answer:
    """What the torch of the Python `executable` reports and computes within `deadline` seconds.

    `canaries_on` is the device for the canaries; they run on mps only if it is available.
    """
    question = (executable, str(PROBE))
    result = run((*question, "--canaries", canaries_on) if canaries_on else question, deadline)
    lines = objects(result.stdout)
    ended = how_it_ended(result, deadline)
    said = _torch(lines)
    if said is None:
        outcome = ProbeOutcome.TIMED_OUT if result.timed_out else ProbeOutcome.FAILED
        return Answer(Torch(outcome=outcome, error=ended))
    answered = said.outcome is ProbeOutcome.ANSWERED
    if not answered or canaries_on is None or (canaries_on == "mps" and not said.mps_available):
        return Answer(said)
    lost = CanaryStatus.TIMED_OUT if result.timed_out else CanaryStatus.CRASHED
    measured = canary_answer.read(lines, device=canaries_on, lost=lost, ended=ended)
    return Answer(said, measured)


def _torch(lines: list[dict[str, object]]) -> Torch | None:
    for line in lines:
        try:
            return msgspec.convert(line, Torch)
        except msgspec.ValidationError:
            continue
    return None
