"""Downloads into the cache over a failing connection."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hub.cache import Repository
from mpsdoctor.hub.download import carry_out, fetch
from mpsdoctor.hub.errors import explained
from mpsdoctor.hub.listing import RemoteFile
from mpsdoctor.hub.plan import Plan

CONTENT = bytes(range(256)) * 40
FILE = RemoteFile(path="unet/weights", size=len(CONTENT), etag=hashlib.sha256(CONTENT).hexdigest())


class Line:
    """A connection that gives one of `answers` for each request, and breaks after the last.

    An answer is the number of requested bytes to give, or other bytes to give instead.
    """

    def __init__(self, *answers: int | bytes, ranges: bool = True) -> None:
        self.answers = list(answers)
        self.ranges = ranges
        self.asked: list[int] = []
        self.pauses: list[float] = []

    @contextmanager
    def stream(self, _file: RemoteFile, start: int) -> Iterator[tuple[bool, Iterator[bytes]]]:
        self.asked.append(start)
        if not self.answers:
            raise ConnectionError("no line")
        answer = self.answers.pop(0)
        begin = start if self.ranges else 0
        data = answer if isinstance(answer, bytes) else CONTENT[begin : begin + answer]

        def chunks() -> Iterator[bytes]:
            yield data
            if begin + len(data) < len(CONTENT):
                raise ConnectionError("broken")

        yield self.ranges and start > 0, chunks()

    def pause(self, _error: Exception, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "hub" / "models--org--name", "c" * 40)


def bring(repository: Repository, line: Line) -> list[int]:
    """Downloads the file and returns the reported progress."""
    seen: list[int] = []
    with explained("org/name", {}):
        fetch(FILE, repository, line.stream, lambda _file, here: seen.append(here), line.pause)
    return seen


def test_what_has_come_is_not_asked_for_again(repository: Repository) -> None:
    """Each attempt resumes where the last one ended, and only fruitless attempts are counted."""
    line = Line(*[1000] * 20)

    seen = bring(repository, line)

    assert CONTENT == repository.blob(FILE).read_bytes()
    assert list(range(0, len(CONTENT), 1000)) == line.asked
    assert [1.0] * 10 == line.pauses
    ends = [min(start + 1000, len(CONTENT)) for start in line.asked]
    assert [at for attempt in zip(line.asked, ends, strict=True) for at in attempt] == seen


def test_a_connection_that_never_works_is_given_up(repository: Repository) -> None:
    """Five attempts, with four growing pauses."""
    line = Line()
    with pytest.raises(MpsDoctorError, match="cannot be reached"):
        bring(repository, line)
    assert ([0] * 5, [2.0, 4.0, 8.0, 16.0]) == (line.asked, line.pauses)


def test_a_dead_connection_is_given_up_and_what_has_come_stays(repository: Repository) -> None:
    """Five fruitless attempts with growing pauses end it, and the next call resumes."""
    line = Line(3000)

    with pytest.raises(MpsDoctorError, match="cannot be reached"):
        bring(repository, line)
    assert [1.0, 2.0, 4.0, 8.0, 16.0] == line.pauses
    assert not repository.blob(FILE).exists()

    line = Line(len(CONTENT))
    bring(repository, line)
    assert [3000] == line.asked


def test_a_server_that_knows_no_ranges_starts_again(repository: Repository) -> None:
    """Without ranges, partial data is replaced."""
    line = Line(3000, len(CONTENT), ranges=False)

    bring(repository, line)

    assert CONTENT == repository.blob(FILE).read_bytes()


def test_damaged_content_never_gets_into_the_cache(repository: Repository) -> None:
    """After the first time it is fetched again; the second is an error, and nothing of it stays."""
    damaged = b"?" + CONTENT[1:]

    line = Line(damaged, len(CONTENT))
    bring(repository, line)
    assert CONTENT == repository.blob(FILE).read_bytes()
    assert ([0, 0], []) == (line.asked, line.pauses)

    repository.blob(FILE).unlink()
    with pytest.raises(MpsDoctorError, match="arrives damaged"):
        bring(repository, Line(damaged, damaged + b"and more"))
    assert [] == list(repository.blob(FILE).parent.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no disk that is always full")
def test_a_full_disk_is_named(repository: Repository) -> None:
    """The error explains what to do."""
    repository.partial(FILE).parent.mkdir(parents=True)
    repository.partial(FILE).symlink_to("/dev/full")

    with pytest.raises(MpsDoctorError, match="The disk is full") as refused:
        bring(repository, Line(len(CONTENT)))
    assert "hf cache ls" in refused.value.hint


def test_two_processes_do_not_write_the_same_file(repository: Repository) -> None:
    """The second process is refused, and the first one finishes."""

    class Nosy(Line):
        def pause(self, _error: Exception, seconds: float) -> None:
            with pytest.raises(MpsDoctorError) as refused:
                bring(repository, Line(len(CONTENT)))
            assert (
                "Another `mpsdoctor pull` is downloading this model\n"
                f"It has {repository.partial(FILE)} open.\n"
                "Wait until it ends, or stop it and try again."
            ) == str(refused.value)
            super().pause(_error, seconds)

    line = Nosy(3000, len(CONTENT))
    bring(repository, line)

    assert [0, 3000] == line.asked
    assert CONTENT == repository.blob(FILE).read_bytes()


def test_a_commit_is_published_when_all_its_files_have_names(repository: Repository) -> None:
    """Only missing files are fetched; if one fails, programs load what they loaded before."""
    twin = RemoteFile(path="vae/weights", size=FILE.size, etag=FILE.etag)
    plan = Plan(repository, files=(FILE, twin), missing=(FILE,))
    main = repository.folder / "refs" / "main"
    with pytest.raises(ConnectionError):
        carry_out(plan, Line(10).stream, lambda _file, _done: None, Line().pause)
    assert (main.exists(), repository.snapshot.exists()) == (False, False)

    line = Line(len(CONTENT))
    seen: list[tuple[RemoteFile, int]] = []
    carry_out(plan, line.stream, lambda *step: seen.append(step), line.pause)

    assert [10] == line.asked
    assert [(FILE, 10), (FILE, len(CONTENT))] == seen
    assert {CONTENT} == {repository.name(file).read_bytes() for file in plan.files}
    assert repository.commit == main.read_text()


def test_without_links_the_content_itself_gets_the_name(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without links, as on exFAT, the file itself has the name and is found the next time."""

    def impossible(*arguments: object) -> None:
        raise OSError

    monkeypatch.setattr(Path, "symlink_to", impossible)
    bring(repository, Line(len(CONTENT)))
    for _ in range(2):
        repository.give_name(FILE)

    assert CONTENT == repository.name(FILE).read_bytes()
    assert not repository.name(FILE).is_symlink()
    assert repository.has(FILE, lambda _file, _done: None)
