"""The daemon's log, while it is written to."""

from collections.abc import Iterator
from pathlib import Path

from mpsdoctor.service.logs import follow, tail


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
    """Each whole line once, none of before."""
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
    """Empty ones left out; of a log that does not exist, none; bytes that are no text show."""
    path = tmp_path / "watch.log"
    path.write_bytes(b"a\n" * 100_000 + b"one\n\ntwo \xff\n")

    assert ["one", "two �"] == tail(path, 2)
    assert [] == tail(tmp_path / "absent", 2)
