"""What `uninstall` removes beside the property list."""

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError


def remove(folders: Iterable[Path]) -> Iterator[Path]:
    """Removes these folders with all that is in them; gives each that was there, once it is gone.

    Of a link only the link is removed: what it leads to was put elsewhere on purpose.
    Raises MpsDoctorError where that cannot be done.
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
            hint=f"See what is there (ls -le {folder}), mend it, then: mpsdoctor service uninstall",
        ) from error
