"""The steps of a fix: changes on disk that can each be undone."""

from mpsdoctor.records import Record


class MakeFolder(Record, tag="make folder"):
    """A new folder in an existing one."""

    path: str


class KeepCopy(Record, tag="keep copy"):
    """A copy of a file, under an unused name."""

    path: str
    to: str


class WriteFile(Record, tag="write file"):
    """A file's new content `after` replaces `before`; the file always has one or the other."""

    path: str
    before: bytes
    after: bytes


Step = MakeFolder | KeepCopy | WriteFile
