"""What was dropped."""

import errno
import hashlib
import os
from pathlib import Path
from unittest import mock

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.inbox.intake import read_dropped


def test_what_is_asked_and_the_content_belong_together(tmp_path: Path) -> None:
    """The hash is of the bytes that were read."""
    (tmp_path / "cat.txt").write_text("a cat")
    dropped = read_dropped(tmp_path / "cat.txt", "cat.txt")
    assert [request.prompt for request in dropped.requests] == ["a cat"]
    assert dropped.sha256 == hashlib.sha256(b"a cat").hexdigest()


@pytest.mark.parametrize("code", [errno.EDEADLK, errno.EPERM, errno.EIO])
def test_what_the_system_refuses_is_not_the_files_fault(tmp_path: Path, code: int) -> None:
    """A cloud placeholder, a privacy refusal and a sick disk are for the queue to wait for."""
    (tmp_path / "cat.txt").write_text("a cat")
    refusal = OSError(code, os.strerror(code))
    with (
        mock.patch("mpsdoctor.hotfolder.inbox.intake.os.open", side_effect=refusal),
        pytest.raises(OSError, match=os.strerror(code)),
    ):
        read_dropped(tmp_path / "cat.txt", "cat.txt")


def test_a_file_without_the_right_to_read_it_fails(tmp_path: Path) -> None:
    """Only its owner can fix that."""
    (tmp_path / "cat.txt").write_text("a cat")
    refusal = OSError(errno.EACCES, os.strerror(errno.EACCES))
    with (
        mock.patch("mpsdoctor.hotfolder.inbox.intake.os.open", side_effect=refusal),
        pytest.raises(MpsDoctorError, match="cannot be read"),
    ):
        read_dropped(tmp_path / "cat.txt", "cat.txt")
