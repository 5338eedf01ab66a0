"""Removes what the agent has besides its property list."""

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError


def remove(folders: Iterable[Path]) -> Iterator[Path]:
    """Removes these folders with their contents; yields each one that existed.

    If a folder is a link, only the link is removed: its target was put elsewhere on purpose.
    Raises MpsDoctorError if a folder cannot be removed.
    """
    for folder in folders:
        if os.path.lexists(folder):
            _remove(folder)
            yield folder


def _remove(folder: Path) -> None:
    try:
        if folder.is_symlink():
            folder.unlink()
        else:
            shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise MpsDoctorError(
            f"{folder} cannot be removed",
            detail=str(error),
            hint=f"See why (ls -le {folder}), fix it, then: mpsdoctor service uninstall",
        ) from error
