"""What macOS says through its libraries, asked in a child process that a wrong call may end."""

from pathlib import Path

import msgspec

from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.records import ThermalState
from mpsdoctor.records import Record

PROBE = Path(__file__).with_name("mac_probe.py")
_SECONDS = 10.0


class MacAnswer(Record):
    """The answers of mac_probe.py; what it could not tell is None."""

    sandboxed: bool | None = None
    thermal_state: ThermalState | None = None
    working_set_bytes: int | None = None


def ask(run: Runner, executable: str, *questions: str) -> MacAnswer:
    """The answers that the Python `executable` gives in time; none of them where it fails.

    `questions` are fields of the answer, all of them if none is named.
    """
    # -I and -S leave out the user's own modules and variables, and start faster.
    argv = (executable, "-I", "-S", str(PROBE), *questions)
    lines = run(argv, _SECONDS).stdout.strip().splitlines()
    try:
        return msgspec.json.decode(lines[-1], type=MacAnswer) if lines else MacAnswer()
    except ValueError:
        return MacAnswer()
