"""Write the reports that tests/reports/test_golden.py compares: `python -m tests.support.golden`.

Run it after a change to a check or a report, and read the difference before you commit it.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from mpsdoctor.checks.report import Report
from mpsdoctor.checks.runner import examine
from mpsdoctor.facts.records import Facts
from mpsdoctor.reports import document, markdown, text
from tests.support.machines import MACHINES

GOLDEN = Path(__file__).parents[1] / "reports" / "golden"
BLOCKED = "m2-max-macos-13.7.4-torch-2.10.0.dev"
READY = "m2-pro-macos-14.7.4-torch-2.6.0"
FORMATS: dict[str, Callable[[Report], str]] = {
    "json": lambda report: document.render(report) + "\n",
    "md": markdown.render,
    "txt": lambda report: text.render(report, verbose=True, width=80).plain + "\n",
}


def reports() -> dict[Path, str]:
    """Each file with its content."""
    return {
        GOLDEN / f"{name}.{suffix}": render(_report_on(name))
        for name in (BLOCKED, READY)
        for suffix, render in FORMATS.items()
    }


def _report_on(name: str) -> Report:
    return examine(msgspec.json.decode((MACHINES / f"{name}.json").read_bytes(), type=Facts))


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for path, report in reports().items():
        path.write_text(report, encoding="utf-8")
