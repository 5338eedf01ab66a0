"""Every place on disk that mpsdoctor reads or writes outside a hot folder."""

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from mpsdoctor.errors import MpsDoctorError

PROFILE_FILE_VARIABLE = "MPSDOCTOR_PROFILE_FILE"


def profile_file(environ: Mapping[str, str]) -> Path:
    """Where the profile lies: `MPSDOCTOR_PROFILE_FILE`, else the platform's settings folder.

    On macOS that is `~/Library/Application Support/mpsdoctor/profile.toml`.

    Raises MpsDoctorError where there is no home directory.
    """
    chosen = environ.get(PROFILE_FILE_VARIABLE)
    if chosen:
        return expand(chosen)
    try:
        folder = platformdirs.user_config_dir("mpsdoctor")
    except RuntimeError as error:  # some releases leave the ~ to us instead
        raise _no_home("the profile", error) from error
    return expand(folder) / "profile.toml"


def expand(path: str | os.PathLike[str]) -> Path:
    """The absolute form of `path`, with `~` replaced.

    Raises MpsDoctorError where there is no home directory to replace it with.
    """
    try:
        return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 (keeps symlinks)
    except RuntimeError as error:
        raise _no_home(str(path), error) from error


def _no_home(sought: str, error: RuntimeError) -> MpsDoctorError:
    return MpsDoctorError(
        f"There is no home directory to find {sought} in",
        detail=str(error),
        hint="Set the environment variable HOME, or name the place with an absolute path.",
    )
