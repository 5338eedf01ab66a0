"""What tuning needs from outside."""

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from mpsdoctor.facts.command import Runner, run
from mpsdoctor.paths import expand, plans_folder


@dataclass(frozen=True)
class Host:
    """The process and its disk.

    `plans` is the folder that keeps traces. `tell` takes a line for the user. `busy` takes one too,
    and its context lasts while something takes seconds.
    """

    environ: Mapping[str, str]
    home: Path
    plans: Path
    run: Runner
    tell: Callable[[str], None]
    busy: Callable[[str], AbstractContextManager[object]]


def this_process(
    tell: Callable[[str], None], busy: Callable[[str], AbstractContextManager[object]]
) -> Host:
    """Raises MpsDoctorError if there is no home directory."""
    return Host(
        environ=os.environ, home=expand("~"), plans=plans_folder(), run=run, tell=tell, busy=busy
    )
