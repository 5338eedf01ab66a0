"""What is removed with the agent."""

from pathlib import Path

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.service.removal import remove


def test_folders_are_removed_and_named_and_links_are_not_followed(tmp_path: Path) -> None:
    """What does not exist is not named; a folder that is named twice is named once."""
    folder, link, dangling = tmp_path / "logs", tmp_path / "link", tmp_path / "dangling"
    kept = tmp_path / "kept"
    (folder / "old").mkdir(parents=True)
    (folder / "old/a.log").write_text("a")
    kept.mkdir()
    (kept / "b.log").write_text("b")
    link.symlink_to(kept)
    dangling.symlink_to(tmp_path / "gone")

    removed = list(remove((folder, tmp_path / "absent", link, folder, dangling)))

    assert [folder, link, dangling] == removed
    assert [kept] == list(tmp_path.iterdir())
    assert "b" == (kept / "b.log").read_text()


def test_what_cannot_be_removed_is_an_error_with_the_next_step(tmp_path: Path) -> None:
    """The folders before it are gone; those after it are left for the next try."""
    first, last = tmp_path / "first", tmp_path / "last"
    first.mkdir()
    last.mkdir()
    file = tmp_path / "file"
    file.write_text("")
    removing = remove((first, file, last))

    assert first == next(removing)
    with pytest.raises(MpsDoctorError) as refused:
        next(removing)

    assert str(refused.value) == (
        f"{file} cannot be removed\n"
        f"{refused.value.__cause__}\n"
        f"See why (ls -le {file}), fix it, then: mpsdoctor service uninstall"
    )
    assert "Not a directory" in refused.value.detail
    assert last.exists()


def test_a_folder_that_somebody_else_removes_meanwhile_is_gone_as_well(tmp_path: Path) -> None:
    """Then there is nothing left to do."""

    class Vanishing(type(tmp_path)):  # type: ignore[misc]
        def is_symlink(self) -> bool:
            self.rmdir()
            return False

    folder = Vanishing(tmp_path / "logs")
    folder.mkdir()

    assert [folder] == list(remove((folder,)))
    assert not (tmp_path / "logs").exists()
