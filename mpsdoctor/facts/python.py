"""The Python that runs this, which is the one that will render."""

import platform
import sys
from pathlib import Path

from mpsdoctor.facts.model import Python


def read() -> Python:
    """This interpreter; whether it is translated is for sysctl to say."""
    return Python(
        version=platform.python_version(),
        machine=platform.machine(),
        executable=sys.executable,
        prefix=sys.prefix,
        base_prefix=sys.base_prefix,
        conda=(Path(sys.base_prefix) / "conda-meta").is_dir(),
    )
