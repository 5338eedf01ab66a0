"""The daemon's log, while it is written to."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mpsdoctor.service.agent import Agent
from mpsdoctor.service.logs import follow, last_output, make_room, size, tail


def following(path: Path, changes: list[str | None]) -> Iterator[str]:
    """What follows while the changes are made, one in each pause."""
    pending = iter(changes)

    def pause(seconds: float) -> None:
        change(path, next(pending))

    return follow(path, sleep=pause)


def change(path: Path, what: str | None) -> None:
    """Appends; `rotate` and `truncate` do that, None removes the file."""
    if what is None:
        path.unlink()
    elif what == "rotate":
        path.rename(path.with_suffix(".old"))
    elif what == "truncate":
        path.write_text("")
    else:
        with path.open("a") as file:
            file.write(what)


def test_what_is_added_is_followed_through_rotation_truncation_and_removal(tmp_path: Path) -> None:
    """Each complete line once, and none from before."""
    path = tmp_path / "watch.log"
    path.write_text("before\n")
    changes = [
        "one\n", "half", " a line\n", "rotate", "after rotation\n", "truncate", "shorter\n", None,
        "made again\n",
    ]  # fmt: skip
    lines = following(path, changes)

    assert [
        "one\n", "half a line\n", "after rotation\n", "shorter\n", "made again\n",
    ] == [next(lines) for _ in range(5)]  # fmt: skip


def test_a_log_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    """And read from its beginning."""
    lines = following(tmp_path / "watch.log", ["first\n"])

    assert "first\n" == next(lines)


def test_the_end_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    """Empty ones are left out, bytes that are not text show; without a log there are none."""
    path = tmp_path / "watch.log"
    path.write_bytes(b"a\n" * 100_000 + b"one\n\ntwo \xff\n")

    assert ["one", "two �"] == tail(path, 2)
    assert ["a", "one", "two �"] == tail(path, 3)
    assert [] == tail(path, 0) == tail(tmp_path / "absent", 2) == tail(tmp_path, 2)
    assert 200_011 == size(path)
    assert 0 == size(tmp_path / "absent")


@pytest.mark.parametrize("ended", [b"", b"\n"])
def test_of_a_very_long_line_pieces_are_followed(tmp_path: Path, ended: bytes) -> None:
    """A line that is as long as what is read at once does not stop the others."""
    path = tmp_path / "watch.log"
    path.write_text("")
    lines = following(path, ["x" * 64 * 1024 + ended.decode() + "y\n"])

    assert ["x" * 64 * 1024, ended.decode() + "y\n"] == [next(lines), next(lines)]


def test_the_last_output_is_that_of_the_file_that_was_written_to_last(tmp_path: Path) -> None:
    """After a crash that is launchd's file, else the daemon's log; neither need exist."""
    agent = Agent(tmp_path, 501)
    assert [] == last_output(agent, 2)
    make_room(agent)
    agent.log.write_text("a\nb\nc\n")
    os.utime(agent.log, (5, 5))
    assert ["b", "c"] == last_output(agent, 2)
    agent.stderr_log.write_text("crash\n")
    os.utime(agent.stderr_log, (4, 4))
    assert ["b", "c"] == last_output(agent, 2)
    os.utime(agent.stderr_log, (6, 6))
    assert ["crash"] == last_output(agent, 2)


@pytest.mark.parametrize(("length", "is_moved"), [(10**7, False), (10**7 + 1, True)])
def test_only_a_file_of_more_than_10_mb_is_set_aside(
    tmp_path: Path, length: int, is_moved: bool
) -> None:
    """It replaces the one that was set aside before."""
    agent = Agent(tmp_path, 501)
    make_room(agent)
    make_room(agent)
    agent.earlier_stderr_log.write_text("old")
    with agent.stderr_log.open("wb") as file:
        file.truncate(length)

    make_room(agent)

    assert is_moved is not agent.stderr_log.exists()
    assert (length if is_moved else 3) == size(agent.earlier_stderr_log)
