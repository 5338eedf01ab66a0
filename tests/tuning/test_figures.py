"""What a comparison says, in words."""

from mpsdoctor.facts.measurement import Measurement
from mpsdoctor.tuning import figures
from mpsdoctor.tuning.candidates import Candidate
from mpsdoctor.tuning.comparison import Comparison

NATIVE = Candidate((("attention", "native"), ("attention_budget", None), ("dtype", "float16")))
PIECES = Candidate((("attention", "bounded"), ("attention_budget", 256), ("dtype", "float16")))


def compared(*seconds: tuple[float, float]) -> Comparison:
    """Of native attention and of pieces, in each round."""
    rounds = (
        {
            NATIVE: Measurement(step_seconds=(native,), peak_bytes=3 * 2**30),
            PIECES: Measurement(step_seconds=(pieces,)),
        }
        for native, pieces in seconds
    )
    return Comparison((NATIVE, PIECES), 24, tuple(rounds))


def test_a_faster_candidate_has_its_gain_and_the_interval() -> None:
    """Percent are of speed; the limits are rounds that were measured."""
    comparison = compared(*[(1.12, 1.0), (1.09, 1.0), (1.15, 1.0)] * 3)

    assert figures.line(comparison, NATIVE) == "native attention, float16: 1.12 s a step, 3.0 GiB"
    assert figures.line(comparison, PIECES) == (
        "bounded attention, 256 MiB, float16: 1 s a step, speed +12 %, "
        "98 % interval +9 to +15 %, 9 rounds"
    )
    assert figures.verdict(comparison) == (
        "The fastest: bounded attention, 256 MiB, float16, 12 % faster than native attention, "
        "float16 (98 % interval +9 to +15 %, 9 rounds)"
    )


def test_without_a_difference_the_margin_is_named_and_one_round_has_no_interval() -> None:
    """A speed is told, but not with a certainty that it does not have."""
    comparison = compared((1.0, 1.25))

    assert figures.line(comparison, PIECES).endswith("1.25 s a step, speed -20 %, 1 round")
    twice = figures.line(compared((2.0, 1.0), (2.0, 1.0)), PIECES)
    assert twice.endswith(": 1 s a step, speed +100 %, 2 rounds")
    assert figures.verdict(comparison) == (
        "Nothing was shown to be 3 % faster than native attention, float16"
    )


def test_current_settings_that_failed_are_named_with_their_problem() -> None:
    """The candidate that takes their place was not shown to be faster: it works."""
    round_ = {NATIVE: Measurement(problem="computed NaN"), PIECES: Measurement(step_seconds=(1.0,))}
    comparison = Comparison((NATIVE, PIECES), 24, (round_,))

    assert figures.line(comparison, NATIVE) == "native attention, float16: computed NaN"
    assert figures.line(comparison, PIECES) == "bounded attention, 256 MiB, float16: 1 s a step"
    assert figures.verdict(comparison) == (
        "native attention, float16 failed: computed NaN. "
        "Nothing was shown to be 3 % faster than bounded attention, 256 MiB, float16"
    )
