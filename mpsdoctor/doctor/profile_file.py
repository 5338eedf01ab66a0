"""The profile as a fact that checks compare with this machine."""

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
    """The profile at `path`, links followed; a missing one has no settings.

    A problem in the file comes before a problem in the variables `MPSDOCTOR_…`.
    """
    real = Path(os.path.realpath(path))
    there = real if os.path.exists(real) else None  # noqa: PTH110 (never raises)
    try:
        profile = load(Profile, there, {}).profile
    except MpsDoctorError as error:
        return _not_valid(real, error, fixable=_is_readable(real))
    try:
        load(Profile, there, environ)
    except MpsDoctorError as error:
        return _not_valid(real, error, fixable=False)
    if there is None:
        return ProfileFile(path=str(real))
    settings = _judged(profile)
    edits = document.read(real.read_text("utf-8")).edits
    pinned = tuple(name for name in settings if name in edits)
    return ProfileFile(path=str(real), settings=settings, pinned=pinned)


def _not_valid(path: Path, error: MpsDoctorError, *, fixable: bool) -> ProfileFile:
    problem = f"{error.title}. {error.detail.rstrip('.')}."
    return ProfileFile(path=str(path), problem=problem, hint=error.hint, fixable=fixable)


def _judged(profile: Profile) -> dict[str, str]:
    """Only what checks judge: all other settings are private."""
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
