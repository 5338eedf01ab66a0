"""Reads the child's measurements, however the child ended."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from mpsdoctor.facts.records import Canary, CanaryStatus, Precision
from mpsdoctor.records import Record


class Measurement(Record):
    """A line from mpsdoctor/facts/probes/canaries.py: either an error, or why there is none."""

    canary: str
    precision: Precision
    status: Literal["skipped", "failed"] | None = None
    error: float | Literal["nan"] | None = None
    seconds: float | None = None
    detail: str = ""


def read(
    lines: Iterable[dict[str, object]],
    *,
    device: Literal["mps", "cpu"],
    lost: CanaryStatus,
    ended: str,
) -> tuple[Canary, ...]:
    """Every canary that the child announced, in that order; none if it announced none.

    The first one without a measurement was running when the child ended: its status is `lost`, and
    `ended` says how the child ended.
    """
    lines = list(lines)
    measured = {found.canary: found for line in lines if (found := _measurement(line))}
    canaries: list[Canary] = []
    culprit = ""
    for name in _announced(lines):
        if name in measured:
            canaries.append(_canary(measured[name], device))
        elif not culprit:
            culprit = name
            canaries.append(Canary(name=name, status=lost, device=device, detail=ended))
        else:
            detail = f"not run: {culprit} {lost.value}"
            skipped = CanaryStatus.SKIPPED
            canaries.append(Canary(name=name, status=skipped, device=device, detail=detail))
    return tuple(canaries)


def _announced(lines: Iterable[dict[str, object]]) -> list[str]:
    for line in lines:
        names = line.get("canaries")
        if isinstance(names, list):
            return list(dict.fromkeys(name for name in names if isinstance(name, str)))
    return []


def _measurement(line: dict[str, object]) -> Measurement | None:
    try:
        found = msgspec.convert(line, Measurement)
    except msgspec.ValidationError:
        return None
    return found if found.status or found.error is not None else None


def _canary(found: Measurement, device: Literal["mps", "cpu"]) -> Canary:
    return Canary(
        name=found.canary,
        status=CanaryStatus(found.status) if found.status else CanaryStatus.COMPARED,
        device=device,
        precision=found.precision,
        error=found.error,
        seconds=found.seconds,
        detail=found.detail,
    )
