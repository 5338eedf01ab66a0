"""What macOS's libraries say, asked in a child process, because a wrong call can end it."""

from pathlib import Path

import msgspec

from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.records import ThermalState
from mpsdoctor.records import Record

PROBE = Path(__file__).with_name("mac_probe.py")
_SECONDS = 10.0


class MacAnswer(Record):
    """The answers of mac_probe.py; unknown ones are None."""

    sandboxed: bool | None = None
    thermal_state: ThermalState | None = None
    working_set_bytes: int | None = None


def ask(run: Runner, executable: str, *questions: str) -> MacAnswer:
    """The answers that the Python `executable` gives in time; all None if it fails.

    `questions` are fields of the answer; without any, all are asked.
    """
    # -I and -S exclude the user's own modules and variables, and start faster.
    argv = (executable, "-I", "-S", str(PROBE), *questions)
    lines = run(argv, _SECONDS).stdout.strip().splitlines()
    try:
        return msgspec.json.decode(lines[-1], type=MacAnswer) if lines else MacAnswer()
    except ValueError:
        return MacAnswer()
