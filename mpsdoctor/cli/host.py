"""What tuning needs of a command-line process."""

from mpsdoctor.cli import output
from mpsdoctor.tuning.host import Host, this_process


def host() -> Host:
    """Raises MpsDoctorError if there is no home directory."""
    return this_process(output.tell, output.busy)
