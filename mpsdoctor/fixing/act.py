"""Doing steps and taking them back, so that nothing is half done and nothing lost."""

import contextlib
import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.files import keep_mode, sync, write_atomically
from mpsdoctor.fixing import journal
from mpsdoctor.fixing.step import KeepCopy, MakeFolder, Step, WriteFile


@dataclass(frozen=True)
class Undone:
    """What became of a step in words; a refused one is as it was."""

    text: str
    refused: bool = False


def apply(steps: Sequence[Step], record: Path) -> None:
    """Does all steps or none. Each stands in the record, for `undo`, before it is done.

    Raises MpsDoctorError where one fails; those before it have been taken back then.
    """
    earlier = journal.read(record)
    done: list[Step] = []
    for step in steps:
        try:
            journal.write(record, [*done, step])
            if _do(step):
                done.append(step)
            else:
                journal.write(record, done)
        except OSError as error:
            # What was in the way is not this step's work, and no reason to take that back.
            begun = done if isinstance(error, FileExistsError) else [*done, step]
            results, left = _take_back_all(begun)
            with contextlib.suppress(OSError):
                journal.write(record, left or earlier)
            raise _failed(error, [result.text for result in results if result.refused]) from error


def undo(record: Path) -> list[Undone]:
    """Takes back what the record says, the last step first; what was changed since stays.

    Refused steps stay in the record. Raises MpsDoctorError where it can be neither read nor
    written.
    """
    results, left = _take_back_all(journal.read(record))
    try:
        journal.write(record, left)
    except OSError as error:
        raise MpsDoctorError(
            "What was undone cannot be recorded",
            detail="\n".join((f"{record}: {error.strerror}. But:", *(r.text for r in results))),
            hint="Make that file writable and undo again: what is undone already stays so.",
        ) from error
    return results


def _do(step: Step) -> bool:
    """Whether there was anything to do. Raises FileExistsError where something is in the way."""
    path = Path(step.path)
    match step:
        case MakeFolder():
            return _make(path)
        case KeepCopy(to=to):
            _copy(path, Path(to))
        case WriteFile(before=before, after=after):
            if path.read_bytes() != before:
                raise FileExistsError(errno.EEXIST, "It was changed meanwhile", step.path)
            write_atomically(path, after)
    return True


def _make(path: Path) -> bool:
    try:
        path.mkdir()
    except FileExistsError:
        if not path.is_dir():
            raise
        return False
    return True


def _copy(path: Path, to: Path) -> None:
    with to.open("xb") as file:
        keep_mode(path, file.fileno())
        file.write(path.read_bytes())
    sync(to)
    sync(to.parent)


def _take_back_all(steps: Sequence[Step]) -> tuple[list[Undone], list[Step]]:
    """What became of the steps, the last first, and those that were refused, in their order."""
    results = [(step, _take_back(step)) for step in reversed(steps)]
    left = [step for step, result in reversed(results) if result.refused]
    return [result for _, result in results], left


def _take_back(step: Step) -> Undone:
    """Also of a step that was recorded, and then not done."""
    path = Path(step.path)
    try:
        match step:
            case MakeFolder():
                return _remove(path)
            case KeepCopy(to=to):
                return _remove_copy(path, Path(to))
            case WriteFile(before=before, after=after):
                return _restore(path, before, after)
    except OSError as error:
        return Undone(f"{path} stays as it is: {error.strerror}", refused=True)


def _remove(path: Path) -> Undone:
    if not os.path.lexists(path):
        return Undone(f"{path} is gone already")
    path.rmdir()
    return Undone(f"removed {path}")


def _remove_copy(path: Path, copy: Path) -> Undone:
    """Only where `path` holds all of it; what was cut short while it was written holds less."""
    if not os.path.lexists(copy):
        return Undone(f"{copy} is gone already")
    if not path.read_bytes().startswith(copy.read_bytes()):
        return Undone(f"{copy} stays: {path} is not the same", refused=True)
    copy.unlink()
    return Undone(f"removed {copy}")


def _restore(path: Path, before: bytes, after: bytes) -> Undone:
    content = path.read_bytes()
    if content == before:
        return Undone(f"{path} is as it was already")
    if content != after:
        return Undone(f"{path} stays as it is: it was changed since", refused=True)
    write_atomically(path, before)
    return Undone(f"restored {path}")


def _failed(error: OSError, refused: Sequence[str]) -> MpsDoctorError:
    reason = f"{error.filename}: {error.strerror}." if error.filename else f"{error}."
    if refused:
        return MpsDoctorError(
            "The fix failed, and part of it could not be taken back",
            detail=" ".join((reason, *refused)),
            hint="Mend that, then run `mpsdoctor check --undo`.",
        )
    return MpsDoctorError(
        "The fix failed; everything is as it was before",
        detail=reason,
        hint="Mend that, then run `mpsdoctor check --fix` again.",
    )
