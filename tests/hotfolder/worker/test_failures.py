"""How a worker ended, and macOS' report about it."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from mpsdoctor.hotfolder.worker.failures import ending
from mpsdoctor.hotfolder.worker.jetsam import NEAR_S, jetsam_event

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("returncode", "signature", "says", "advises"),
    [
        (-signal.SIGABRT, "SIGABRT", "larger block of memory", "smaller"),
        (-signal.SIGKILL, "SIGKILL", "memory ran out", "vae_tiling"),
        (-signal.SIGBUS, "SIGBUS", "graphics driver", "mpsdoctor check"),
        (-signal.SIGTERM, "SIGTERM", "swap space", "Free space"),
        (-signal.SIGUSR2, "SIGUSR2", "SIGUSR2", "mpsdoctor check"),
        (-64, "SIGRTMAX", "SIGRTMAX", "mpsdoctor check"),
        (-99, "signal 99", "Signal 99", "mpsdoctor check"),
        (1, "exit 1", "exited with status 1", "mpsdoctor check"),
        (None, "mute", "stopped responding", "mpsdoctor check"),
    ],
)
def test_an_ending_is_named_explained_and_met_with_advice(
    returncode: int | None, signature: str, says: str, advises: str
) -> None:
    """The signature is stable; the user reads what it means and what to change."""
    if returncode == -64 and not hasattr(signal, "SIGRTMAX"):
        signature, says = "signal 64", "Signal 64"
    told = ending(returncode)

    assert told.signature == signature
    assert says in told.detail
    assert advises in told.hint


def report(folder: Path, name: str, when: float, body: Any) -> Path:
    """A file as ReportCrash writes them: a line about it, then the report itself."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f'{{"bug_type":"298"}}\n{json.dumps(body)}')
    os.utime(path, (when, when))
    return path


BODY = {
    "largestProcess": "Python",
    "memoryStatus": {"pageSize": 16384},
    "processes": [
        {"name": "launchd", "rpages": 900},
        {"pid": 4242, "name": "Python", "rpages": 786432, "reason": "vm-compressor-space-shortage"},
    ],
}


def test_macos_own_report_says_how_much_memory_it_was(tmp_path: Path) -> None:
    """The newest report within that minute counts, in any folder; older ones do not."""
    mine, all_users = tmp_path / "mine", tmp_path / "all users"
    report(mine, "JetsamEvent-1.ips", NOW - NEAR_S - 1, {})
    report(mine, "JetsamEvent-2.ips", NOW - 30, {})
    newest = report(all_users, "JetsamEvent-3.ips", NOW + 2, BODY)
    report(mine, "Python-4.ips", NOW, {})

    told = jetsam_event([mine, all_users, tmp_path / "none"], 4242, NOW)

    assert told is not None
    assert str(newest) in told
    assert "largest process was Python" in told
    assert "12.0 GiB" in told


@pytest.mark.parametrize("body", [{}, [], "text", {**BODY, "processes": ["x"]}])
def test_a_report_in_another_form_is_named_all_the_same(tmp_path: Path, body: Any) -> None:
    """Its path is still shown; without a report the answer is None."""
    path = report(tmp_path, "JetsamEvent-1.ips", NOW, body)

    assert str(path) in (jetsam_event([tmp_path], 1, NOW) or "")
    assert jetsam_event([tmp_path], 1, NOW + NEAR_S + 1) is None
