"""What other programs may rely on: exit codes, schema versions and names."""

from enum import IntEnum
from typing import Final

FACTS_SCHEMA: Final = 1
PROFILE_SCHEMA: Final = 1
REPORT_SCHEMA: Final = 1
UNDO_SCHEMA: Final = 1
PLAN_SCHEMA: Final = 1
STATUS_SCHEMA: Final = 1

EMBEDDED_MODEL: Final = "shapes"

ENV_PREFIX: Final = "MPSDOCTOR_"
"""Of every environment variable that is mpsdoctor's own."""


class ExitCode(IntEnum):
    """What the process ends with, the same for every output format."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    INTERNAL = 3
    INTERRUPTED = 130
