"""Traces in a separate process: `python -m mpsdoctor.planning.child CONFIGS DTYPE WxH …`.

CONFIGS is a file with a `Configs`. Replies with a list of footprints.
"""

import sys
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.child import reply
from mpsdoctor.libraries import require_quiet_libraries, silence_libraries
from mpsdoctor.planning.configs import read_file
from mpsdoctor.planning.footprint import Footprint


def footprints(configs: Path, dtype: str, sizes: list[tuple[int, int]]) -> list[Footprint]:
    """What the model needs at each size. Raises MpsDoctorError."""
    require_quiet_libraries("accelerate")
    silence_libraries()
    from mpsdoctor.planning.trace import trace

    return trace(read_file(configs), sizes, dtype)


def main(configs: str, dtype: str, *sizes: str) -> None:
    """Replies with the footprints, or with the reason why there are none."""
    pairs = [(int(width), int(height)) for width, height in (size.split("x") for size in sizes)]
    try:
        reply(footprints(Path(configs), dtype, pairs))
    except MpsDoctorError as error:
        reply(error)


if __name__ == "__main__":
    main(*sys.argv[1:])
