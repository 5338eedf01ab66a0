"""Why the queue waits, without any prompt being to blame."""

from typing import Literal

from mpsdoctor.records import Record

Kind = Literal[
    "disk", "folder", "privacy", "model", "gpu", "memory", "battery", "low-power", "heat"
]


class Pause(Record):
    """`title` says what is the matter, `hint` what the user can do. No attempt is counted."""

    kind: Kind
    title: str
    hint: str = ""
