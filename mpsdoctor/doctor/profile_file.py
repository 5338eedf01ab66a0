"""The profile as a fact: what a check can hold against this machine."""

import os
from collections.abc import Mapping
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.records import ProfileFile
from mpsdoctor.knowledge.variables import HIGH, LOW
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import ENVIRONMENT
from mpsdoctor.profile.loading import load
from mpsdoctor.profile.settings import Profile


def read(path: Path, environ: Mapping[str, str]) -> ProfileFile:
    """The profile at `path`, links followed; one that is not there has no settings.

    A problem of the file comes before one that the variables `MPSDOCTOR_…` have.
    """
    real = Path(os.path.realpath(path))
    there = real if os.path.exists(real) else None  # noqa: PTH110 (never raises)
    try:
        profile = load(Profile, there, {}).profile
    except MpsDoctorError as error:
        return _not_understood(real, error, mendable=_is_readable(real))
    try:
        load(Profile, there, environ)
    except MpsDoctorError as error:
        return _not_understood(real, error, mendable=False)
    if there is None:
        return ProfileFile(path=str(real))
    settings = _judged(profile)
    edits = document.read(real.read_text("utf-8")).edits
    pinned = tuple(name for name in settings if name in edits)
    return ProfileFile(path=str(real), settings=settings, pinned=pinned)


def _not_understood(path: Path, error: MpsDoctorError, *, mendable: bool) -> ProfileFile:
    problem = f"{error.title}. {error.detail.rstrip('.')}."
    return ProfileFile(path=str(path), problem=problem, hint=error.hint, mendable=mendable)


def _judged(profile: Profile) -> dict[str, str]:
    """No others: what is not judged is nobody's business."""
    settings = {name: str(getattr(profile, name)) for name in ("device", "dtype", "attention")}
    ratios = {
        ENVIRONMENT + name: profile.environment[name]
        for name in (HIGH, LOW)
        if name in profile.environment
    }
    return settings | ratios


def _is_readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:
        return False
    return True
