"""What the last fix did. It is on disk before it is done, so a power cut can be undone too."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from mpsdoctor.constants import UNDO_SCHEMA
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.files import sync, write_atomically
from mpsdoctor.fixing.step import Step
from mpsdoctor.records import Record


class _Content(Record):
    steps: tuple[Step, ...]
    schema_version: Literal[1] = UNDO_SCHEMA


def write(path: Path, steps: Sequence[Step]) -> None:
    """Writes the steps that are done or about to be done; without steps, removes the file.

    Raises OSError if that fails.
    """
    if steps:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.encode(_Content(steps=tuple(steps))))
    elif path.exists():
        path.unlink()
        sync(path.parent)


def read(path: Path) -> tuple[Step, ...]:
    """The steps in their order; none if there is no file.

    Raises MpsDoctorError if it cannot be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Content).steps
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except (OSError, ValueError) as error:
        raise MpsDoctorError(
            "The record of the last fix cannot be read",
            detail=f"{path}: {error}",
            hint="Make that file readable, or move it away. Then there is nothing to undo.",
        ) from error
