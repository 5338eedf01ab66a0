"""One model in huggingface_hub's cache, where every program that uses it finds the files.

blobs/ holds contents, named by their etag; snapshots/COMMIT/ holds names, as links to them;
refs/main says which commit is the newest. (huggingface_hub docs: guides/manage-cache)
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mpsdoctor.files import sync, write_atomically
from mpsdoctor.hub.listing import RemoteFile
from mpsdoctor.units import MIB

Progress = Callable[[RemoteFile, int], None]
"""Hears how many bytes of a file are dealt with."""

_CHUNK = MIB
_SHA256_DIGITS = 64


@dataclass(frozen=True)
class Repository:
    """`folder` is the model's own in the cache; it need not exist."""

    folder: Path
    commit: str

    @property
    def snapshot(self) -> Path:
        """The folder that Diffusers loads."""
        return self.folder / "snapshots" / self.commit

    def blob(self, file: RemoteFile) -> Path:
        """Where the content belongs."""
        return self.folder / "blobs" / file.etag

    def partial(self, file: RemoteFile) -> Path:
        """What there is of a content that is not whole yet, from its beginning.

        A name of its own: what huggingface_hub leaves can have holes, where hf-xet wrote it.
        """
        return self.folder / "blobs" / f"{file.etag}.mpsdoctor.incomplete"

    def name(self, file: RemoteFile) -> Path:
        """The file under its own name."""
        return self.snapshot / file.path

    def has(self, file: RemoteFile, progress: Progress) -> bool:
        """Whether the file's content is here and intact, by its digest."""
        places = (self.blob(file), self.name(file))
        return any(is_intact(path, file, progress) for path in places)

    def here_bytes(self, file: RemoteFile) -> int:
        """How much of a file that is missing an earlier attempt has left here."""
        return min(file.size, size_of(self.partial(file)))

    def accept(self, file: RemoteFile) -> None:
        """Makes the whole partial file the content."""
        sync(self.partial(file))
        self.partial(file).replace(self.blob(file))

    def give_name(self, file: RemoteFile) -> None:
        """Has the file's name lead to its content, which moves where links are impossible."""
        blob, name = self.blob(file), self.name(file)
        if not blob.exists():
            return
        name.parent.mkdir(parents=True, exist_ok=True)
        new = name.with_name(f".{name.name}.new")
        new.unlink(missing_ok=True)
        try:
            new.symlink_to(os.path.relpath(blob, name.parent))
        except OSError:  # exFAT has no links
            new = blob
        new.replace(name)

    def publish(self) -> None:
        """Makes this commit the one that programs load."""
        ref = self.folder / "refs" / "main"
        ref.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(ref, self.commit.encode())


def is_intact(path: Path, file: RemoteFile, progress: Progress) -> bool:
    """Whether the content at `path` is the file's."""
    return size_of(path) == file.size and _digest(path, file, progress) == file.etag


def size_of(path: Path) -> int:
    """Bytes of the file at `path`; 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _digest(path: Path, file: RemoteFile, progress: Progress) -> str:
    """In the form of the file's etag; empty where the content cannot be read."""
    digest = hashlib.sha256()
    if len(file.etag) != _SHA256_DIGITS:  # git hash-object
        digest = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    try:
        with path.open("rb") as content:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
                progress(file, content.tell())
    except OSError:
        return ""
    return digest.hexdigest()
