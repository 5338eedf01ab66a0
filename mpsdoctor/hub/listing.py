"""A hub's description of a model and its files."""

from typing import Any

from mpsdoctor.records import Record


class RemoteFile(Record):
    """A file of a model's repository. `size` is in bytes.

    `etag` names its content: the SHA-256 of a large file, the git blob id of any other.
    """

    path: str
    size: int
    etag: str


class Listing(Record):
    """A model's repository at one commit. `index` is its model_index.json."""

    model: str
    commit: str
    index: dict[str, Any]
    files: tuple[RemoteFile, ...]
