"""Writing the profile."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import Choice, Difference, Value
from mpsdoctor.profile.saving import (
    SavedProfile,
    read_document,
    save,
    save_profile,
    understood,
)


def test_folders_are_made_and_the_file_is_replaced(tmp_path: Path) -> None:
    """The first check of a new user finds no settings folder."""
    path = tmp_path / "Application Support" / "mpsdoctor" / "profile.toml"

    save(path, "a = 1\n")
    save(path, "ä = 2\n")

    assert "ä = 2\n" == path.read_text("utf-8")
    assert [path] == list(path.parent.iterdir())


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    """A link into a dotfiles folder is followed, even if the target does not exist yet."""
    kept, path = tmp_path / "dotfiles" / "mac.toml", tmp_path / "profile.toml"
    path.symlink_to(kept)

    save(path, "a = 1\n")
    save(path, "a = 2\n")

    assert path.is_symlink()
    assert "a = 2\n" == kept.read_text("utf-8")


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    """The error says where, and how to choose another place."""
    file = tmp_path / "file"
    file.write_text("")

    with pytest.raises(MpsDoctorError) as refused:
        save(file / "profile.toml", "")
    assert (refused.value.title, refused.value.detail, refused.value.hint) == (
        "The profile cannot be written",
        f"[Errno 17] File exists: '{file}'",
        f"Make {file} writable, or choose another file with --profile FILE.",
    )


def test_a_disk_that_refuses_the_new_file_keeps_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal may come when the file is already written; no part of it stays."""
    path = tmp_path / "profile.toml"
    save(path, "old = 1\n")

    def full(_file: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(fcntl, "fcntl", lambda *arguments: full(arguments))
    with pytest.raises(MpsDoctorError) as refused:
        save(path, "new = 1\n")
    assert refused.value.detail == "[Errno 28] No space left on device"
    assert [(path, "old = 1\n")] == [(one, one.read_text()) for one in tmp_path.iterdir()]


def test_a_profile_is_read_if_it_is_there(tmp_path: Path) -> None:
    """An absent file is empty for a check, and an error for a command that needs it."""
    path = tmp_path / "profile.toml"
    assert read_document(path) == document.Document()
    with pytest.raises(MpsDoctorError, match="There is no profile"):
        understood(path)
    path.write_text("width = 500\n")
    for read in (read_document, understood):
        with pytest.raises(MpsDoctorError, match="width cannot be 500"):
            read(path)
    path.write_text("width = 504\n")
    assert (
        read_document(path)
        == understood(path)
        == document.Document({"width": 504}, {}, {"width": ""})
    )


def choices(model: str) -> dict[str, Choice]:
    """Choices for a model."""
    values = {"model": model, "device": "mps", "dtype": "float16", "width": None}
    return {name: Choice(value, "So it is.", name) for name, value in values.items()}


def test_hand_edits_stay_with_their_model(tmp_path: Path) -> None:
    """Edits for all models stay when the model changes, and the others are kept in a copy."""
    path = tmp_path / "profile.toml"
    edits: dict[str, Value] = {"device": "cpu", "width": 640, "ignore": ["MPS108"]}
    path.write_text(document.write(choices("one"), edits, "a Mac"))

    same = save_profile(path, choices("one"), read_document(path), "a Mac")
    assert same == SavedProfile("one", (), edits, {}, None)
    assert path.read_text() == document.write(choices("one"), edits, "a Mac")

    before = path.read_text()
    other = save_profile(path, choices("two"), read_document(path), "another Mac")
    kept: dict[str, Value] = {"device": "cpu", "ignore": ["MPS108"]}
    aside = tmp_path / "profile-before.toml"
    assert other == SavedProfile(
        "two",
        (Difference("model", "one", "two"), Difference("width", 640, None)),
        kept,
        {"width": 640},
        aside,
    )
    assert path.read_text() == document.write(choices("two"), kept, "another Mac")
    assert aside.read_text() == before


def test_each_file_that_is_set_aside_has_its_own_name(tmp_path: Path) -> None:
    """Even a broken link is not overwritten."""
    path = tmp_path / "my.profile.toml"
    (tmp_path / "my.profile-before.toml").symlink_to(tmp_path / "gone")
    kept = []
    for model in ("one", "two"):
        path.write_text(document.write(choices(model), {"width": 640}, "a Mac"))
        kept.append(save_profile(path, choices("three"), read_document(path), "a Mac").aside)
    assert kept == [tmp_path / f"my.profile-before-{number}.toml" for number in (2, 3)]


def test_a_new_profile_has_changed_nothing(tmp_path: Path) -> None:
    """Without a file before, every value is new."""
    path = tmp_path / "profile.toml"
    saved = save_profile(path, choices("one"), read_document(path), "a Mac")
    assert saved == SavedProfile("one", (), {}, {}, None)
