"""What `uninstall` removes beside the property list."""

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path


def remove(folders: Iterable[Path]) -> Iterator[Path]:
    """Removes these folders with all that is in them; gives those that were there."""
    for folder in folders:
        if folder.exists():
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(folder)
            yield folder
