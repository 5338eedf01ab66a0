"""What the agent's own process sees: `python -m mpsdoctor.service.probe OUTPUT HOT-FOLDER [gpu]`.

A one-shot agent runs it. It writes a Context as JSON; what cannot be found out is left out.
"""

import os
import sys
from pathlib import Path

import msgspec

from mpsdoctor.facts import environment
from mpsdoctor.facts.agent import Context
from mpsdoctor.facts.command import Runner, run
from mpsdoctor.facts.disk.storage import nearest
from mpsdoctor.facts.probes import torch_answer
from mpsdoctor.files import replace_file
from mpsdoctor.service.folder_probe import OPERATIONS

_FOLDER_SECONDS = 10.0
_TORCH_SECONDS = 60.0


def look(hot_folder: Path, ask_gpu: bool, run: Runner = run) -> Context:
    """The GPU, the folder and the variables, as this process has them."""
    torch = torch_answer.ask(run, sys.executable, _TORCH_SECONDS).torch if ask_gpu else None
    return Context(
        # macOS grants access to the file behind the environment's link.
        program=os.path.realpath(sys.executable),
        mps_available=torch.mps_available if torch else None,
        folder=try_folder(hot_folder, run),
        variables=environment.read(os.environ, at_start=os.environ).variables,
    )


def try_folder(hot_folder: Path, run: Runner) -> dict[str, str] | None:
    """What fails in it, or in the nearest folder above that exists; None where nobody can tell.

    The folder is tried in a child process: where macOS waits for an answer to its question, that
    one hangs.
    """
    program = (sys.executable, "-m", "mpsdoctor.service.folder_probe", str(nearest(hot_folder)))
    result = run(program, _FOLDER_SECONDS)
    answers: dict[str, str | None] = {}
    for line in result.stdout.splitlines():
        try:
            name, error = msgspec.json.decode(line, type=tuple[str, str | None])
        except ValueError:
            continue
        answers[name] = error
    if len(answers) < len(OPERATIONS):
        if not result.timed_out:
            return None
        answers[OPERATIONS[len(answers)]] = "no answer"
    return {name: error for name, error in answers.items() if error}


def main(arguments: list[str]) -> None:
    """Writes what is seen; the file appears whole."""
    output, hot_folder, *more = arguments
    replace_file(Path(output), msgspec.json.encode(look(Path(hot_folder), "gpu" in more)))


if __name__ == "__main__":
    main(sys.argv[1:])
