"""What the agent's own process sees: `python -m mpsdoctor.service.probe OUTPUT HOT-FOLDER [gpu]`.

A one-shot agent runs it. It writes a Context as JSON, without what it cannot find out.

With `--folder FOLDER` it tries everything that the daemon does in a folder. This runs in a child
process: while macOS asks the user for permission, `open` and `listdir` block forever. It tries
more than a listing, because a folder may be listed although its files may not be read.
"""

import errno
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from mpsdoctor.facts import environment
from mpsdoctor.facts.agent import Context
from mpsdoctor.facts.child import run_module
from mpsdoctor.facts.command import Runner, run
from mpsdoctor.facts.disk.storage import nearest
from mpsdoctor.facts.probes import torch_answer
from mpsdoctor.files import replace_file

_MODULE = "mpsdoctor.service.probe"
_FOLDER = "--folder"
_OPERATIONS = ("list", "write", "read", "rename", "delete")
_FOLDER_SECONDS = 10.0
_TORCH_SECONDS = 60.0


def look(hot_folder: Path, ask_gpu: bool, run: Runner = run) -> Context:
    """The GPU, the folder and the variables, as this process has them."""
    torch = torch_answer.ask(run, sys.executable, _TORCH_SECONDS).torch if ask_gpu else None
    return Context(
        # macOS grants access to the file that the environment's link leads to.
        program=os.path.realpath(sys.executable),
        mps_available=torch.mps_available if torch else None,
        folder=try_folder(hot_folder, run),
        variables=environment.read(os.environ, at_start=os.environ).variables,
    )


def try_folder(hot_folder: Path, run: Runner) -> dict[str, str] | None:
    """What fails in the folder, or in the nearest parent that exists; None if that is unknown.

    A child process tries it: it hangs while macOS asks the user for permission.
    """
    folder = str(nearest(hot_folder))
    result = run_module(run, _MODULE, _FOLDER, folder, seconds=_FOLDER_SECONDS)
    answers: dict[str, str | None] = {}
    for line in result.stdout.splitlines():
        try:
            name, error = msgspec.json.decode(line, type=tuple[str, str | None])
        except ValueError:
            continue
        answers[name] = error
    if len(answers) < len(_OPERATIONS):
        if not result.timed_out:
            return None
        answers[_OPERATIONS[len(answers)]] = "no answer"
    return {name: error for name, error in answers.items() if error}


def attempt(folder: Path) -> None:
    """Prints a line of JSON after each operation: its name, and its errno's name or null.

    It makes a file in the folder and removes it again.
    """
    first = folder / f".mpsdoctor-probe-{os.getpid()}"
    second = first.with_name(f"{first.name}.moved")
    actions: tuple[Callable[[], object], ...] = (
        partial(os.listdir, folder),
        partial(first.write_bytes, b"probe"),
        first.read_bytes,
        partial(first.rename, second),
        partial(second.unlink),
    )
    for name, action in zip(_OPERATIONS, actions, strict=True):
        print(json.dumps([name, _error(action)]), flush=True)  # noqa: T201
    first.unlink(missing_ok=True)


def _error(action: Callable[[], object]) -> str | None:
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return None


def main(arguments: list[str]) -> None:
    """Tries the folder, or writes what this process sees, as a complete file."""
    if arguments[0] == _FOLDER:
        attempt(Path(arguments[1]))
        return
    output, hot_folder, *more = arguments
    replace_file(Path(output), msgspec.json.encode(look(Path(hot_folder), "gpu" in more)))


if __name__ == "__main__":
    main(sys.argv[1:])
