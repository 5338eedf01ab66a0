"""Jobs in a hot folder without a daemon, and changes of the disk that stop in the middle."""

import contextlib
import itertools
import os
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from mpsdoctor import files
from mpsdoctor.hotfolder.spool.file_state import FileState
from mpsdoctor.hotfolder.spool.job import Job
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.spool import Spool
from tests.support.stand_in_worker import picture

_CHANGES = (
    (Path, "mkdir"),
    (Path, "replace"),
    (Path, "rename"),
    (Path, "unlink"),
    (Path, "rmdir"),
    (Path, "open"),
    (shutil, "rmtree"),
    (os, "link"),
)


class PowerCutError(BaseException):
    """Not to be handled by the code under test."""


@contextlib.contextmanager
def cut_after(steps: int, *, by_link: bool = False) -> Iterator[None]:
    """Lets so many changes of the disk happen, and no other.

    `by_link` is a disk without a rename that does not overwrite. Nothing is flushed, for speed.
    """
    done = itertools.count()

    def before_step() -> None:
        if next(done) >= steps:
            raise PowerCutError

    with _changes(before_step, by_link), mock.patch.object(files, "_flush"):
        yield


@contextlib.contextmanager
def refusal(step: int, code: int, *, once: bool, late: bool = False) -> Iterator[None]:
    """The disk answers with an error number, once at this step or from then on.

    If it is `late`, the change has been made even so, as can happen on a network volume.
    """
    done = itertools.count()

    def before_step() -> None:
        number = next(done)
        if number == step or (number > step and not once):
            raise OSError(code, os.strerror(code))

    def watched_flush(_descriptor: int) -> None:
        before_step()

    with (
        _changes(before_step, by_link=False, late=late),
        mock.patch.object(files, "_flush", watched_flush),
    ):
        yield


@contextlib.contextmanager
def _changes(observe: Callable[[], None], by_link: bool, late: bool = False) -> Iterator[None]:
    def watched(change: Callable[..., Any], late: bool = late) -> Callable[..., Any]:
        def step(*args: Any, **options: Any) -> Any:
            if not late:
                observe()
            result = change(*args, **options)
            if late:
                observe()
            return result

        return step

    with contextlib.ExitStack() as stack:
        for place, name in _CHANGES:
            late_here = late and name != "open"
            step = watched(getattr(place, name), late_here)
            stack.enter_context(mock.patch.object(place, name, step))
        assert files._rename
        rename = None if by_link else watched(files._rename)
        stack.enter_context(mock.patch.object(files, "_rename", rename))
        yield


def drop(layout: Layout, name: str, content: str | bytes) -> Path:
    """Puts a file into the inbox in one go, as a careful program does."""
    layout.inbox.mkdir(parents=True, exist_ok=True)
    path = layout.inbox / name
    hidden = path.with_name(f".{name}"[:200])
    hidden.write_bytes(content.encode() if isinstance(content, str) else content)
    return hidden.rename(path)


def names(folder: Path) -> list[str]:
    """What lies in the folder, sorted."""
    return sorted(path.name for path in folder.iterdir())


def claim(spool: Spool, name: str = "cat.txt", content: str = "a cat", pictures: int = 1) -> Job:
    """Drops and claims a file that asks for so many pictures."""
    path = drop(spool.layout, name, content)
    job = spool.claim(name, FileState.of(path.lstat()))
    assert job
    return freeze(spool, job, pictures)


def freeze(spool: Spool, job: Job, pictures: int = 1) -> Job:
    """What the daemon does when it has read the file."""
    return spool.freeze(job, sha256="content", profile="profile", fallbacks={}, pictures=pictures)


def rendered(spool: Spool, job: Job, number: int = 1) -> Job:
    """After the worker's part of an attempt."""
    job = spool.begin_attempt(job, number)
    spool.picture(job, number).write_bytes(picture(job.id, job.seed, number))
    return job


def nfd(name: str) -> str:
    """The name as HFS+ and some network volumes deliver it."""
    return unicodedata.normalize("NFD", name)
