"""Writing the profile."""

from pathlib import Path

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.profile.saving import save


def test_folders_are_made_and_the_file_is_replaced(tmp_path: Path) -> None:
    """The first check of a new user finds no settings folder."""
    path = tmp_path / "Application Support" / "mpsdoctor" / "profile.toml"

    save(path, "a = 1\n")
    save(path, "ä = 2\n")

    assert "ä = 2\n" == path.read_text("utf-8")
    assert [path] == list(path.parent.iterdir())


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    """A profile among somebody's dotfiles, which may not exist yet, is written there."""
    kept, path = tmp_path / "dotfiles" / "mac.toml", tmp_path / "profile.toml"
    path.symlink_to(kept)

    save(path, "a = 1\n")
    save(path, "a = 2\n")

    assert path.is_symlink()
    assert "a = 2\n" == kept.read_text("utf-8")


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    """The error says where, and how to choose another place."""
    (tmp_path / "file").write_text("")

    with pytest.raises(MpsDoctorError, match="cannot be written") as refused:
        save(tmp_path / "file" / "profile.toml", "")
    assert "--profile FILE" in refused.value.hint
