"""macOS' reports of running out of memory."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from mpsdoctor.hotfolder.worker.jetsam import jetsam_event, report_folders

NOW = 1_800_000_000.0
NEAR_S = 60.0
BODY = {
    "largestProcess": "Python",
    "memoryStatus": {"pageSize": 16384},
    "processes": [
        {"name": "launchd", "rpages": 900},
        {"pid": 4242, "name": "Python", "rpages": 786432, "reason": "vm-compressor-space-shortage"},
    ],
}


def report(folder: Path, name: str, when: float, body: Any) -> Path:
    """A file as ReportCrash writes them: a line about it, then the report itself."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f'{{"bug_type":"298"}}\n{json.dumps(body)}')
    os.utime(path, (when, when))
    return path


def test_the_newest_report_near_the_end_counts(tmp_path: Path) -> None:
    """It may be in any folder, and names the worker's memory if the worker is in it."""
    mine, all_users = tmp_path / "mine", tmp_path / "all users"
    report(mine, "JetsamEvent-1.ips", NOW - NEAR_S - 1, {})
    newest = report(all_users, "JetsamEvent-3.ips", NOW + NEAR_S, BODY)
    report(mine, "JetsamEvent-2.ips", NOW - NEAR_S, {})
    report(mine, "JetsamEvent-5.ips", NOW + NEAR_S + 1, {})
    report(mine, "Python-4.ips", NOW + NEAR_S, {})
    (tmp_path / "file").touch()
    folders = [tmp_path / "file", tmp_path / "none", mine, all_users]

    about = f"macOS reports that memory ran out at that time: {newest}."
    largest = "The largest process was Python."
    assert jetsam_event(folders, 4242, NOW) == f"{about} {largest} The worker held 12.0 GiB."
    assert jetsam_event(folders, 1, NOW) == f"{about} {largest}"


def test_a_folder_that_cannot_be_read_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are read even so."""
    path = report(tmp_path / "b", "JetsamEvent-1.ips", NOW, {})
    listed = Path.glob

    def glob(folder: Path, pattern: str) -> Any:
        if folder.name == "a":
            raise PermissionError(13, "Permission denied")
        return listed(folder, pattern)

    monkeypatch.setattr(Path, "glob", glob)
    assert str(path) in (jetsam_event([tmp_path / "a", tmp_path / "b"], 1, NOW) or "")


@pytest.mark.parametrize(
    ("content", "largest"),
    [
        ("{}", False),
        ("[]", False),
        ('"text"', False),
        ("{", False),
        ('{"largestProcess": "Python"}', True),
        ('{"largestProcess": "Python", "processes": ["x"]}', True),
        ('{"largestProcess": "Python", "processes": 1}', True),
        ('{"largestProcess": "Python", "processes": [{"pid": 1, "rpages": null}]}', True),
        ('{"largestProcess": "Python", "processes": [{"pid": 1, "rpages": 2}], '
         '"memoryStatus": {"pageSize": null}}', True),
    ],
)  # fmt: skip
def test_a_report_in_another_form_is_still_named(
    tmp_path: Path, content: str, largest: bool
) -> None:
    """What can be read of it is said; without a report there is nothing to say."""
    path = tmp_path / "JetsamEvent-1.ips"
    path.write_text(f"{{}}\n{content}")
    os.utime(path, (NOW, NOW))
    more = " The largest process was Python." if largest else ""

    assert jetsam_event([tmp_path], 1, NOW) == (
        f"macOS reports that memory ran out at that time: {path}.{more}"
    )
    assert jetsam_event([tmp_path], 1, NOW + NEAR_S + 1) is None


def test_a_report_that_cannot_be_opened_is_still_named(tmp_path: Path) -> None:
    """The folder of a name like that is enough to look into it by hand."""
    path = tmp_path / "JetsamEvent-1.ips"
    path.mkdir()
    os.utime(path, (NOW, NOW))
    assert jetsam_event([tmp_path], 1, NOW) == (
        f"macOS reports that memory ran out at that time: {path}."
    )


def test_only_macos_has_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's come first, then those of the system."""
    monkeypatch.setenv("HOME", "/Users/me")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert report_folders() == (
        Path("/Users/me/Library/Logs/DiagnosticReports"),
        Path("/Library/Logs/DiagnosticReports"),
    )
    monkeypatch.setattr(sys, "platform", "linux")
    assert report_folders() == ()
