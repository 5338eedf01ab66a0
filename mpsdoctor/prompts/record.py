"""What mpsdoctor writes into its pictures about the job that made them."""

import msgspec

from mpsdoctor.records import Record

PNG_KEY = "mpsdoctor"


class JobRecord(Record):
    """Which picture of which job this is.

    `picture` counts from 1. `profile` is the hash of the profile it was rendered with. `remedy`
    says what helped if the first try failed. `notes` say what in the request had no effect.
    """

    job: str
    picture: int = 1
    profile: str = ""
    remedy: str = ""
    notes: tuple[str, ...] = ()


def format_record(record: JobRecord) -> str:
    """The value of the PNG text chunk `mpsdoctor`."""
    return msgspec.json.encode(record).decode()


def read_record(text: str | None) -> JobRecord | None:
    """The record in the value of that chunk; None if there is none."""
    try:
        return msgspec.json.decode(text or "", type=JobRecord)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
