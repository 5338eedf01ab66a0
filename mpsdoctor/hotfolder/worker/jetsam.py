"""What macOS writes down when it ends processes because memory ran out.

`JetsamEvent-….ips` in the folders of diagnostic reports: a JSON object on the first line, another
one after it with `largestProcess` and, for each of the `processes`, its `pid`, its `rpages` of
`pageSize` bytes and, where it was ended, the `reason`.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from mpsdoctor.units import gib

NEAR_S: Final = 60.0
"""A report this many seconds from the end of a process is taken to be about it."""


def report_folders() -> tuple[Path, ...]:
    """Where macOS puts them; none elsewhere."""
    if sys.platform != "darwin":
        return ()
    return (
        Path(os.path.expanduser("~/Library/Logs/DiagnosticReports")),  # noqa: PTH111 (never raises)
        Path("/Library/Logs/DiagnosticReports"),
    )


def jetsam_event(folders: Sequence[Path], pid: int, ended: float) -> str | None:
    """What the report nearest to the Unix time `ended` says, in one or two sentences."""
    near: list[tuple[float, Path]] = []
    for folder in folders:
        try:
            reports = [(path.stat().st_mtime, path) for path in folder.glob("JetsamEvent-*.ips")]
        except OSError:
            continue
        near += [(time, path) for time, path in reports if abs(time - ended) <= NEAR_S]
    return _describe(max(near)[1], pid) if near else None


def _describe(path: Path, pid: int) -> str:
    told = [f"macOS reports that memory ran out then: {path}."]
    try:
        report: Any = json.loads(path.read_text("utf-8").partition("\n")[2])
        told.append(f"The largest process was {report['largestProcess']}.")
        for process in report["processes"]:
            if process.get("pid") == pid:
                size = process["rpages"] * report["memoryStatus"]["pageSize"]
                told.append(f"The worker held {gib(size)}.")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # what the file is called says enough
    return " ".join(told)
