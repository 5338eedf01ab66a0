"""Kinds of disks."""

from pathlib import Path

import pytest

from mpsdoctor.hotfolder.inbox.stability import settle_seconds


def test_files_on_network_volumes_rest_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This disk is local; if it were another host's, writers would need longer."""
    assert settle_seconds(tmp_path) == 1.0
    monkeypatch.setattr("mpsdoctor.hotfolder.inbox.stability.filesystem", lambda path: "smbfs")
    assert settle_seconds(tmp_path) == 10.0
