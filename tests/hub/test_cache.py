"""A model in huggingface_hub's cache."""

import hashlib
from pathlib import Path

import pytest

from mpsdoctor.hub.cache import Repository, is_intact, size_of
from mpsdoctor.hub.listing import RemoteFile
from mpsdoctor.units import MIB
from tests.support.hub import blob_id

SMALL = b'{"unet": 1}'
LARGE = bytes(range(256)) * 5000
CONFIG = RemoteFile(path="unet/deep/config.json", size=len(SMALL), etag=blob_id(SMALL))
WEIGHTS = RemoteFile(path="weights", size=len(LARGE), etag=hashlib.sha256(LARGE).hexdigest())


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "models--org--name", "c" * 40)
    (made.folder / "blobs").mkdir(parents=True)
    return made


def silent(_file: RemoteFile, _done: int) -> None:
    """Nobody watches."""


@pytest.mark.parametrize(
    ("file", "content", "steps"),
    [(CONFIG, SMALL, [len(SMALL)]), (WEIGHTS, LARGE, [MIB, len(LARGE)])],
)
def test_content_is_intact_if_its_checksum_matches(
    tmp_path: Path, file: RemoteFile, content: bytes, steps: list[int]
) -> None:
    """Small files have git's checksum, large ones SHA-256, and reading reports its progress."""
    path, seen = tmp_path / "blob", list[tuple[RemoteFile, int]]()
    path.write_bytes(content)
    assert is_intact(path, file, lambda one, done: seen.append((one, done)))
    assert seen == [(file, step) for step in steps]

    for damaged in (b"?" + content[1:], content[:-1], content + b"?", b""):
        path.write_bytes(damaged)
        assert not is_intact(path, file, silent)


def test_what_is_not_there_has_no_size(tmp_path: Path) -> None:
    """A missing file, a broken link and a folder are not content."""
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    assert (size_of(tmp_path / "gone"), size_of(tmp_path / "link")) == (0, 0)
    folder = RemoteFile(path="x", size=size_of(tmp_path), etag="e" * 64)
    assert not is_intact(tmp_path, folder, silent)


def test_a_file_is_here_by_its_content_or_by_its_name(repository: Repository) -> None:
    """Either place is enough, and other content in both is not."""
    assert not repository.has(CONFIG, silent)
    repository.blob(CONFIG).write_bytes(SMALL)
    assert repository.has(CONFIG, silent)
    repository.blob(CONFIG).unlink()
    repository.name(CONFIG).parent.mkdir(parents=True)
    repository.name(CONFIG).write_bytes(SMALL)
    assert repository.has(CONFIG, silent)
    for path in (repository.name(CONFIG), repository.blob(CONFIG)):
        path.write_bytes(SMALL[::-1])
    assert not repository.has(CONFIG, silent)


@pytest.mark.parametrize(("left", "here"), [(None, 0), (0, 0), (5, 5), (99, len(SMALL))])
def test_an_earlier_attempt_counts_up_to_the_size(
    repository: Repository, left: int | None, here: int
) -> None:
    """A longer partial file is damaged, but it cannot make the download negative."""
    if left is not None:
        repository.partial(CONFIG).write_bytes(b"x" * left)
    assert repository.here_bytes(CONFIG) == here


def test_accepted_content_gets_its_name(repository: Repository) -> None:
    """The name is a relative link, replaces an older one, and ignores a leftover."""
    repository.give_name(CONFIG)
    assert not repository.snapshot.exists()

    repository.partial(CONFIG).write_bytes(SMALL)
    repository.accept(CONFIG)
    assert [CONFIG.etag] == [path.name for path in (repository.folder / "blobs").iterdir()]
    name = repository.folder / "snapshots" / repository.commit / "unet" / "deep" / "config.json"
    name.parent.mkdir(parents=True)
    name.write_bytes(b"older")
    (name.parent / ".config.json.new").write_bytes(b"left by a crash")
    for _ in range(2):
        repository.give_name(CONFIG)

    assert name.readlink() == Path("../../../../blobs", CONFIG.etag)
    assert (name.read_bytes(), list(name.parent.iterdir())) == (SMALL, [name])
    for path in ("vae/deep/config.json", "config.json"):
        twin = RemoteFile(path=path, size=CONFIG.size, etag=CONFIG.etag)
        repository.give_name(twin)
        assert repository.name(twin).read_bytes() == SMALL


def test_a_published_commit_is_the_one_that_programs_load(repository: Repository) -> None:
    """refs/main holds the commit, with or without an earlier one."""
    for commit in ("a" * 40, "b" * 40):
        Repository(repository.folder / "new", commit).publish()
        assert (repository.folder / "new" / "refs" / "main").read_text() == commit
