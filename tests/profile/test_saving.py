"""Writing the profile."""

from pathlib import Path

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import Choice, Value
from mpsdoctor.profile.saving import read_document, save, save_profile


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
    (tmp_path / "file").write_text("")

    with pytest.raises(MpsDoctorError, match="cannot be written") as refused:
        save(tmp_path / "file" / "profile.toml", "")
    assert "--profile FILE" in refused.value.hint


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
    assert edits == same.kept
    assert ((), {}, None) == (same.changed, same.left_out, same.aside)

    other = save_profile(path, choices("two"), read_document(path), "a Mac")
    assert {"device": "cpu", "ignore": ["MPS108"]} == other.kept == read_document(path).edits
    assert {"width": 640} == other.left_out
    assert [("model", "one", "two"), ("width", 640, None)] == [
        (one.setting, one.ours, one.theirs) for one in other.changed
    ]
    assert tmp_path / "profile-before.toml" == other.aside
    assert 640 == read_document(other.aside).values["width"]
