"""A comparison in words, for the terminal and for the reasons in a profile; pure."""

from math import expm1, isfinite
from statistics import median

from mpsdoctor.tuning.candidates import Candidate
from mpsdoctor.tuning.comparison import ERROR, MARGIN, Comparison
from mpsdoctor.units import gib


def line(comparison: Comparison, candidate: Candidate) -> str:
    """What was measured of one candidate, or why it failed."""
    if problem := comparison.problem(candidate):
        return f"{candidate}: {problem}"
    right = [one for one in comparison.measurements(candidate) if not one.problem]
    peak = max(one.peak_bytes or 0 for one in right)
    parts = (f"{median(one.seconds for one in right):.3g} s a step", gib(peak) if peak else "")
    return f"{candidate}: {', '.join(filter(None, (*parts, *_speed(comparison, candidate))))}"


def verdict(comparison: Comparison) -> str:
    """The result of a comparison whose reference gave pictures."""
    reference, fastest = comparison.reference, comparison.fastest
    current = comparison.candidates[0]
    failed = "" if reference == current else f"{current} failed: {comparison.problem(current)}. "
    if fastest is None:
        return f"{failed}Nothing was shown to be {_percent(MARGIN)} % faster than {reference}"
    gain = _percent(comparison.difference(fastest))
    rest = f"{_interval(comparison, fastest)}, {_rounds(comparison, fastest)}"
    return f"{failed}The fastest: {fastest}, {gain} % faster than {reference} ({rest})"


def _speed(comparison: Comparison, candidate: Candidate) -> tuple[str, ...]:
    """Compared with the reference, if there are rounds in which both gave pictures."""
    if candidate == comparison.reference or not comparison.differences(candidate):
        return ()
    speed = f"speed {_percent(comparison.difference(candidate)):+} %"
    return speed, _interval(comparison, candidate), _rounds(comparison, candidate)


def _interval(comparison: Comparison, candidate: Candidate) -> str:
    """The interval of the speed; empty until there are enough rounds for one."""
    found = comparison.limits(candidate)
    if not isfinite(found.low):
        return ""
    low, high = _percent(found.low), _percent(found.high)
    return f"{100 * (1 - ERROR):.0f} % interval {low:+} to {high:+} %"


def _percent(difference: float) -> int:
    return round(100 * expm1(difference))


def _rounds(comparison: Comparison, candidate: Candidate) -> str:
    count = len(comparison.differences(candidate))
    return f"{count} round{'s' if count > 1 else ''}"
