"""Traces in a process of its own: `python -m mpsdoctor.planning.child CONFIGS DTYPE WxH …`.

CONFIGS is a file with a `Configs`. Prints a JSON list of footprints, or of the three parts of an
MpsDoctorError with exit code 1.
"""

import sys
from pathlib import Path

import msgspec

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.install_commands import SEE_CHECK
from mpsdoctor.planning.configs import read_file


def main(configs: str, dtype: str, *sizes: str) -> int:
    """Prints what each size needs."""
    try:
        from mpsdoctor.planning.silence_logging import be_quiet
        from mpsdoctor.planning.trace import trace
    except (ImportError, OSError, RuntimeError) as error:
        _print(("What plans is not installed, or does not start", str(error), SEE_CHECK))
        return 1
    be_quiet()
    pairs = [tuple(map(int, size.split("x"))) for size in sizes]
    try:
        _print(trace(read_file(Path(configs)), [(pair[0], pair[1]) for pair in pairs], dtype))
    except MpsDoctorError as error:
        _print((error.title, error.detail, error.hint))
        return 1
    return 0


def _print(value: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(value))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
