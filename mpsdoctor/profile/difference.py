"""Where two profiles differ."""

from collections.abc import Mapping
from dataclasses import dataclass

from mpsdoctor.profile.choice import Value


@dataclass(frozen=True)
class Difference:
    """One setting; None is one that is not set."""

    setting: str
    ours: Value
    theirs: Value


def differences(ours: Mapping[str, Value], theirs: Mapping[str, Value]) -> list[Difference]:
    """Every setting with another value, in the order of ours, then of theirs."""
    names = dict.fromkeys((*ours, *theirs))
    return [
        Difference(name, ours.get(name), theirs.get(name))
        for name in names
        if ours.get(name) != theirs.get(name)
    ]
