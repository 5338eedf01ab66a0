"""Every path that mpsdoctor reads or writes outside a hot folder."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import platformdirs

from mpsdoctor.constants import EMBEDDED_MODEL, ENV_PREFIX
from mpsdoctor.errors import MpsDoctorError

PROFILE_FILE_VARIABLE = f"{ENV_PREFIX}PROFILE_FILE"


def profile_file(environ: Mapping[str, str]) -> Path:
    """The profile's path: `MPSDOCTOR_PROFILE_FILE`, else in the platform's settings folder.

    On macOS that is `~/Library/Application Support/mpsdoctor/profile.toml`.

    Raises MpsDoctorError if there is no home directory.
    """
    chosen = environ.get(PROFILE_FILE_VARIABLE)
    if chosen:
        return expand(chosen)
    return _own_folder(platformdirs.user_config_dir, "the profile") / "profile.toml"


def profile_path(named: Path | None, environ: Mapping[str, str]) -> Path:
    """The profile's path: the one that `--profile` names, else `profile_file`.

    Raises MpsDoctorError if there is no home directory.
    """
    return expand(named) if named else profile_file(environ)


def find_profile(named: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The profile's path; None if there is no home directory."""
    try:
        return profile_path(named, environ)
    except MpsDoctorError:
        return None


def model_name(model: str) -> str:
    """A model's name in a profile: the absolute path of a folder, else the name unchanged."""
    if model == EMBEDDED_MODEL:
        return model
    try:
        folder = expand(model)
    except MpsDoctorError:
        return model
    return str(folder) if os.path.isdir(folder) else model  # noqa: PTH112 (never raises)


def facts_file(profile: Path) -> Path:
    """Where `mpsdoctor check` saves the facts of this machine, beside the profile."""
    return profile.with_name(f"{profile.stem}.facts.json")


def undo_file() -> Path:
    """Where `mpsdoctor check --fix` records what it does, on macOS beside the profile.

    Raises MpsDoctorError if there is no home directory.
    """
    return _own_folder(platformdirs.user_state_dir, "the undo record") / "undo.json"


def plans_folder() -> Path:
    """Where `mpsdoctor plan` caches its traces; everything in it can be recreated.

    Raises MpsDoctorError if there is no home directory.
    """
    return _own_folder(platformdirs.user_cache_dir, "the cache") / "plans"


def log_file() -> Path:
    """Where `mpsdoctor watch` writes its log, on macOS in `~/Library/Logs/mpsdoctor`.

    Raises MpsDoctorError if there is no home directory.
    """
    return _own_folder(platformdirs.user_log_dir, "the log") / "daemon.log"


def _own_folder(of: Callable[[str], str], sought: str) -> Path:
    try:
        folder = of("mpsdoctor")
    except RuntimeError as error:  # some releases return a path with ~ instead
        raise _no_home(sought, error) from error
    return expand(folder)


def expand(path: str | os.PathLike[str]) -> Path:
    """The absolute form of `path`, with `~` replaced.

    Raises MpsDoctorError if it has a `~`, but there is no home directory.
    """
    try:
        return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 (keeps symlinks)
    except RuntimeError as error:
        raise _no_home(str(path), error) from error


def _no_home(sought: str, error: RuntimeError) -> MpsDoctorError:
    return MpsDoctorError(
        f"Cannot find {sought}: there is no home directory",
        detail=str(error),
        hint="Set the environment variable HOME, or use an absolute path.",
    )
