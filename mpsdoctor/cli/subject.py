"""Which profile is meant, and what it says to look at."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mpsdoctor.cli.options import profile_path
from mpsdoctor.errors import MpsDoctorError

if TYPE_CHECKING:
    from mpsdoctor.profile.subject import Subject


def subject_of(profile: Path | None) -> "Subject":
    """What the profile says to look at; `profile` is what `--profile` names.

    Without a home directory there is no profile to read, which is for the report to say.
    """
    from mpsdoctor.profile.subject import read

    return read(find_profile(profile), os.environ)


def find_profile(profile: Path | None) -> Path | None:
    """Where the profile lies; None where there is no home directory to look in."""
    try:
        return profile_path(profile)
    except MpsDoctorError:
        return None
