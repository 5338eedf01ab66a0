"""What a fix is made of: changes on disk that can each be taken back."""

from mpsdoctor.records import Record


class MakeFolder(Record, tag="make folder"):
    """A folder that was not there, in one that is."""

    path: str


class KeepCopy(Record, tag="keep copy"):
    """A file's content, once more under a name that nothing had."""

    path: str
    to: str


class WriteFile(Record, tag="write file"):
    """A file's new content, instead of the one `before`; there is always the one or the other."""

    path: str
    before: bytes
    after: bytes


Step = MakeFolder | KeepCopy | WriteFile
