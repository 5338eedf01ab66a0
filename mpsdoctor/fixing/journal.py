"""What the last fix has done, on disk before it is done: what can be undone after a power cut."""

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
    """The steps that are done or about to be; none leave no file.

    Raises OSError where it cannot be written.
    """
    if steps:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.encode(_Content(steps=tuple(steps))))
    elif path.exists():
        path.unlink()
        sync(path.parent)


def read(path: Path) -> tuple[Step, ...]:
    """The steps in their order, none where there is no file.

    Raises MpsDoctorError where it cannot be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Content).steps
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except (OSError, ValueError) as error:
        raise MpsDoctorError(
            "What the last fix did cannot be read",
            detail=f"{path}: {error}",
            hint="Make that file readable, or move it away: then there is nothing to undo.",
        ) from error
