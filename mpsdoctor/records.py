"""The base of every value that is written to or read from a file."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable value that round-trips through JSON.

    Unknown keys are ignored, so that a file written by a newer version can still be read.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())
