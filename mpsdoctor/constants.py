"""Exit codes, schema versions and names that other programs may rely on."""

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
"""The prefix of mpsdoctor's own environment variables."""


class ExitCode(IntEnum):
    """The exit codes, the same for every output format."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    INTERNAL = 3
    INTERRUPTED = 130
