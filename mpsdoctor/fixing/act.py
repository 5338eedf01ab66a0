"""Do steps and undo them, so that nothing is half done and nothing is lost."""

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
    """The result of undoing a step, in words; a refused step was not undone."""

    text: str
    refused: bool = False


def apply(steps: Sequence[Step], record: Path) -> None:
    """Does all steps or none. Each is recorded, for `undo`, before it is done.

    Raises MpsDoctorError if one fails. The steps before it are then already undone.
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
            # Something that was in the way is not this step's work, and must not be undone.
            begun = done if isinstance(error, FileExistsError) else [*done, step]
            results, left = _undo_all(begun)
            with contextlib.suppress(OSError):
                journal.write(record, left or earlier)
            raise _failed(error, [result.text for result in results if result.refused]) from error


def undo(record: Path) -> list[Undone]:
    """Undoes the recorded steps, the last one first; what was changed since stays.

    Refused steps stay in the record. Raises MpsDoctorError if it cannot be read or written.
    """
    results, left = _undo_all(journal.read(record))
    try:
        journal.write(record, left)
    except OSError as error:
        raise MpsDoctorError(
            "The undo cannot be recorded",
            detail="\n".join((f"{record}: {error.strerror}. Done:", *(r.text for r in results))),
            hint="Make that file writable and undo again. Steps that are already undone stay so.",
        ) from error
    return results


def _do(step: Step) -> bool:
    """Whether there was anything to do. Raises FileExistsError if something is in the way."""
    path = Path(step.path)
    match step:
        case MakeFolder():
            return _make(path)
        case KeepCopy(to=to):
            _copy(path, Path(to))
        case WriteFile(before=before, after=after):
            if path.read_bytes() != before:
                raise FileExistsError(errno.EEXIST, "It has changed in the meantime", step.path)
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


def _undo_all(steps: Sequence[Step]) -> tuple[list[Undone], list[Step]]:
    """The result of each step, the last one first, and the refused steps in their order."""
    results = [(step, _undo_one(step)) for step in reversed(steps)]
    left = [step for step, result in reversed(results) if result.refused]
    return [result for _, result in results], left


def _undo_one(step: Step) -> Undone:
    """Also undoes a step that was recorded, but not done."""
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
        return Undone(f"{path} was not changed: {error.strerror}", refused=True)


def _remove(path: Path) -> Undone:
    if not os.path.lexists(path):
        return Undone(f"{path} is already removed")
    path.rmdir()
    return Undone(f"removed {path}")


def _remove_copy(path: Path, copy: Path) -> Undone:
    """Only if `path` has all of its content; an interrupted copy has only the beginning."""
    if not os.path.lexists(copy):
        return Undone(f"{copy} is already removed")
    if not path.read_bytes().startswith(copy.read_bytes()):
        return Undone(f"{copy} was not removed: {path} differs from it", refused=True)
    copy.unlink()
    return Undone(f"removed {copy}")


def _restore(path: Path, before: bytes, after: bytes) -> Undone:
    content = path.read_bytes()
    if content == before:
        return Undone(f"{path} is already restored")
    if content != after:
        return Undone(f"{path} was not restored: it was changed after the fix", refused=True)
    write_atomically(path, before)
    return Undone(f"restored {path}")


def _failed(error: OSError, refused: Sequence[str]) -> MpsDoctorError:
    reason = f"{error.filename}: {error.strerror}." if error.filename else f"{error}."
    if refused:
        return MpsDoctorError(
            "The fix failed, and part of it could not be undone",
            detail=" ".join((reason, *refused)),
            hint="Fix the cause, then run `mpsdoctor check --undo`.",
        )
    return MpsDoctorError(
        "The fix failed; everything is as it was before",
        detail=reason,
        hint="Fix the cause, then run `mpsdoctor check --fix` again.",
    )
