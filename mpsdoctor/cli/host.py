"""What tuning needs of this process, as the command line has it."""

import os

from mpsdoctor.cli import output
from mpsdoctor.facts.command import run
from mpsdoctor.paths import expand, plans_folder
from mpsdoctor.tuning.host import Host


def host() -> Host:
    """Raises MpsDoctorError where there is no home directory."""
    return Host(
        environ=os.environ,
        home=expand("~"),
        plans=plans_folder(),
        run=run,
        tell=output.tell,
        busy=output.busy,
    )
