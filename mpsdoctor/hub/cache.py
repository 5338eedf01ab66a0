"""One model in huggingface_hub's cache, which other programs share.

blobs/ holds the contents, named by etag. snapshots/COMMIT/ holds the file names, as links to the
contents. refs/main names the newest commit. (huggingface_hub docs: guides/manage-cache)
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
"""Is called with a file and the number of bytes that are done."""

_CHUNK = MIB
_SHA256_DIGITS = 64


@dataclass(frozen=True)
class Repository:
    """A model at one commit; `folder` is the model's folder in the cache, which need not exist."""

    folder: Path
    commit: str

    @property
    def snapshot(self) -> Path:
        """The folder that Diffusers loads."""
        return self.folder / "snapshots" / self.commit

    def blob(self, file: RemoteFile) -> Path:
        """The path of the complete content."""
        return self.folder / "blobs" / file.etag

    def partial(self, file: RemoteFile) -> Path:
        """The path of incomplete content, from its first byte on.

        The name differs from huggingface_hub's, whose partial files can have holes (hf-xet).
        """
        return self.folder / "blobs" / f"{file.etag}.mpsdoctor.incomplete"

    def name(self, file: RemoteFile) -> Path:
        """The path of the file under its own name."""
        return self.snapshot / file.path

    def has(self, file: RemoteFile, progress: Progress) -> bool:
        """Whether the file's content is in the cache and its checksum matches."""
        places = (self.blob(file), self.name(file))
        return any(is_intact(path, file, progress) for path in places)

    def here_bytes(self, file: RemoteFile) -> int:
        """How many bytes of a missing file an earlier attempt has left."""
        return min(file.size, size_of(self.partial(file)))

    def accept(self, file: RemoteFile) -> None:
        """Turns the completed partial file into the content."""
        sync(self.partial(file))
        self.partial(file).replace(self.blob(file))

    def give_name(self, file: RemoteFile) -> None:
        """Links the file's name to its content; moves the content if links are impossible."""
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
        """Makes this commit the one that programs load by default."""
        ref = self.folder / "refs" / "main"
        ref.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(ref, self.commit.encode())


def is_intact(path: Path, file: RemoteFile, progress: Progress) -> bool:
    """Whether the file at `path` has the right size and checksum."""
    return size_of(path) == file.size and _digest(path, file, progress) == file.etag


def size_of(path: Path) -> int:
    """The size of the file at `path`, in bytes; 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _digest(path: Path, file: RemoteFile, progress: Progress) -> str:
    """The checksum, of the same kind as the file's etag; empty if the file cannot be read."""
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
