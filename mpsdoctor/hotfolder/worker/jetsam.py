"""Reads the report that macOS writes when it kills processes because memory ran out.

A file `JetsamEvent-….ips` has a JSON object on the first line and another one after it. The second
has `largestProcess` and the `processes`. Each process has its `pid`, its `rpages` of `pageSize`
bytes and, if it was killed, the `reason`.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from mpsdoctor.units import gib

NEAR_S: Final = 60.0
"""A report within this many seconds of the end of a process is taken to be about it."""


def report_folders() -> tuple[Path, ...]:
    """The folders for these reports; none on other systems."""
    if sys.platform != "darwin":
        return ()
    return (
        Path(os.path.expanduser("~/Library/Logs/DiagnosticReports")),  # noqa: PTH111 (never raises)
        Path("/Library/Logs/DiagnosticReports"),
    )


def jetsam_event(folders: Sequence[Path], pid: int, ended: float) -> str | None:
    """Describes the newest report near the Unix time `ended`; None if there is none."""
    near: list[tuple[float, Path]] = []
    for folder in folders:
        try:
            reports = [(path.stat().st_mtime, path) for path in folder.glob("JetsamEvent-*.ips")]
        except OSError:
            continue
        near += [(time, path) for time, path in reports if abs(time - ended) <= NEAR_S]
    return _describe(max(near)[1], pid) if near else None


def _describe(path: Path, pid: int) -> str:
    sentences = [f"macOS reports that memory ran out at that time: {path}."]
    try:
        report: Any = json.loads(path.read_text("utf-8").partition("\n")[2])
        sentences.append(f"The largest process was {report['largestProcess']}.")
        for process in report["processes"]:
            if process.get("pid") == pid:
                size = process["rpages"] * report["memoryStatus"]["pageSize"]
                sentences.append(f"The worker held {gib(size)}.")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # the name of the file says enough
    return " ".join(sentences)
