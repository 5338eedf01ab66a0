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


class PauseError(Exception):
    """Something that is no prompt's fault: the queue pauses, and no attempt counts."""

    def __init__(self, pause: Pause) -> None:
        super().__init__(pause.title)
        self.pause = pause
