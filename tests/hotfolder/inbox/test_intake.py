"""What a dropped file asks for, and why it is refused."""

import errno
import hashlib
import os
import socket
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.inbox.intake import Dropped, profile_for, read_dropped
from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.document import MAX_BYTES, too_large
from mpsdoctor.prompts.request import Request

PLAIN_TEXT = "Drop a plain text file whose name ends in .txt instead."


def test_the_requests_and_the_hash_are_of_the_same_bytes(tmp_path: Path) -> None:
    """The largest file that is allowed is read too; the name is the one it was dropped under."""
    path = tmp_path / "prompt.txt"
    for text in ("a cat", "a cat".ljust(MAX_BYTES)):
        path.write_text(text)
        assert read_dropped(path, "Cat.TXT") == Dropped(
            (Request(prompt="a cat"),), hashlib.sha256(text.encode()).hexdigest()
        )


def refused(path: Path, name: str) -> str:
    """Title, detail and hint, a line each."""
    with pytest.raises(MpsDoctorError) as refusal:
        read_dropped(path, name)
    return str(refusal.value)


def test_only_regular_prompt_files_are_opened(tmp_path: Path) -> None:
    """Each refusal says what it is instead, and what to drop."""
    (tmp_path / "target.txt").write_text("a cat")
    (tmp_path / "link.txt").symlink_to("target.txt")
    (tmp_path / "folder.txt").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    with mock.patch.object(os, "open", side_effect=AssertionError):
        assert refused(tmp_path / "link.txt", "link.txt") == (
            "This is a link, not a file\n"
            "It points to target.txt. Links are not followed.\n"
            "Drop a copy of the file itself."
        )
        assert refused(tmp_path / "folder.txt", "folder.txt") == (
            "This is a folder\n"
            "Only single prompt files are rendered.\n"
            "Drop the .txt files inside it, one by one or together."
        )
        pipe = f"This is not a regular file\n{PLAIN_TEXT}"
        assert refused(tmp_path / "pipe.txt", "pipe.txt") == pipe
        for name in ("cat.jpg", "cat", ".txt.rtf"):
            assert refused(tmp_path / "target.txt", name) == (
                "This is not a prompt file\n"
                f"Only files whose names end in .txt are rendered.\n{PLAIN_TEXT}"
            )
        assert refused(tmp_path / "target.txt", "Cat.Error.TXT") == (
            "This is an error report, not a prompt\n"
            "Drop the .txt file beside it, the one without `.error`."
        )
        (tmp_path / "target.txt").write_bytes(b"x" * (MAX_BYTES + 1))
        assert refused(tmp_path / "target.txt", "cat.txt") == str(too_large(MAX_BYTES + 1))


def test_a_socket_is_not_a_regular_file() -> None:
    """Its path has to be short."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        path = Path(folder, "s.txt")
        server.bind(str(path))
        assert refused(path, "s.txt") == f"This is not a regular file\n{PLAIN_TEXT}"


def test_a_file_that_grows_while_it_is_read_is_too_large(tmp_path: Path) -> None:
    """No more than one byte over the limit is read of it."""
    path = tmp_path / "cat.txt"
    path.write_text("a cat")
    open_file = os.open

    def grow(name: Any, *rest: Any, **options: Any) -> int:
        path.write_bytes(b"x" * (MAX_BYTES + 100))
        return open_file(name, *rest, **options)

    with mock.patch.object(os, "open", grow):
        assert refused(path, "cat.txt") == str(too_large(MAX_BYTES + 1))


def test_a_file_that_becomes_a_link_or_a_pipe_is_not_followed_or_waited_for(tmp_path: Path) -> None:
    """It is opened without following links, without blocking, and not for the worker."""
    path = tmp_path / "cat.txt"
    path.write_text("a cat")
    with mock.patch.object(os, "open", wraps=os.open) as opened:
        read_dropped(path, "cat.txt")
    opened.assert_called_once_with(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


@pytest.mark.parametrize("code", [errno.EDEADLK, errno.EPERM, errno.EIO])
def test_an_error_of_the_system_is_not_blamed_on_the_file(tmp_path: Path, code: int) -> None:
    """The queue waits for a cloud file, a privacy setting or a broken disk."""
    (tmp_path / "cat.txt").write_text("a cat")
    with (
        mock.patch.object(os, "open", side_effect=OSError(code, os.strerror(code))),
        pytest.raises(OSError, match=os.strerror(code)),
    ):
        read_dropped(tmp_path / "cat.txt", "cat.txt")


def test_a_file_without_read_permission_fails(tmp_path: Path) -> None:
    """Only its owner can fix that."""
    (tmp_path / "cat.txt").write_text("a cat")
    denied = OSError(errno.EACCES, os.strerror(errno.EACCES))
    with mock.patch.object(os, "open", side_effect=denied):
        assert refused(tmp_path / "cat.txt", "cat.txt") == (
            "This file cannot be read\n"
            "The system says: Permission denied.\n"
            "In Finder, choose Get Info and give yourself permission to read it. Or save the text "
            "as a new file. Then drop it again."
        )


SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
PROFILES = [Profile(model=model) for model in (SDXL, "/models/My Mix", "shapes")]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        (None, SDXL),
        (SDXL, SDXL),
        ("Stable-Diffusion-XL-base-1.0", SDXL),
        ("my mix", "/models/My Mix"),
        ("shapes", "shapes"),
    ],
)
def test_a_prompt_names_one_of_the_profiles_models(name: str | None, model: str) -> None:
    """The owner or folder and the case do not matter; without a name it is the first."""
    assert profile_for(PROFILES, name).model == model


@pytest.mark.parametrize("name", ["/etc/passwd", "../shapes", "other/shapes", "dreamshaper_8", ""])
def test_no_other_model_is_touched(name: str) -> None:
    """Not a path, nor another owner's model, nor one that the profile does not list."""
    with pytest.raises(MpsDoctorError) as refusal:
        profile_for(PROFILES, name)
    assert str(refusal.value) == (
        f"The profile does not list the model {name}\n"
        f"It lists {SDXL}, /models/My Mix, shapes.\n"
        "Leave `Model` out of the prompt file, or add the model to `models` in the profile. "
        "`mpsdoctor profile path` shows where the profile is."
    )


def test_a_short_name_of_several_models_is_refused() -> None:
    """Else the first would be rendered in place of the one that was meant."""
    profiles = [Profile(model=model) for model in ("a/mix", "b/mix", "mix-2", "b/mix")]
    assert profile_for(profiles, "b/mix") is profiles[1]
    assert profile_for([*profiles, Profile(model="mix")], "MIX").model == "mix"
    with pytest.raises(MpsDoctorError) as refusal:
        profile_for(profiles, "Mix")
    assert str(refusal.value) == (
        "Mix fits several models\n"
        "The profile has a/mix, b/mix, b/mix.\n"
        "Write ORGANIZATION/NAME in the prompt file, or rename one of the folders."
    )
