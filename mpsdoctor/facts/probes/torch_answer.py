"""Put the questions to torch in a child process, and read the answers whatever becomes of it."""

from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from mpsdoctor.facts.child import how_it_ended, objects
from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.probes import canary_answer
from mpsdoctor.facts.records import Canary, CanaryStatus, ProbeOutcome, Torch

PROBE = Path(__file__).with_name("mps_probe.py")


class Answer(NamedTuple):
    """What torch said, and how its canaries fared; None for what was not asked.

    Without a single canary, the process ended between the two.
    """

    torch: Torch | None = None
    canaries: tuple[Canary, ...] | None = None


def ask(
    run: Runner,
    executable: str,
    deadline: float,
    canaries_on: Literal["mps", "cpu"] | None = None,
) -> Answer:
    """What the torch of the Python `executable` says and computes within `deadline` seconds.

    `canaries_on` is the device to try; mps is tried only where it is available.
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
