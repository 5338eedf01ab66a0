"""What tuning needs of this process, as the command line has it."""

from mpsdoctor.cli import output
from mpsdoctor.tuning.host import Host, this_process


def host() -> Host:
    """Raises MpsDoctorError where there is no home directory."""
    return this_process(output.tell, output.busy)
