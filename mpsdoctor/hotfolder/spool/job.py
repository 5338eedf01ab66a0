"""A dropped file as a job, and the progress of its pictures. Pure."""

import secrets
import time
from collections.abc import Sequence
from typing import Final, Literal

from msgspec import field

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.spool.names import readable
from mpsdoctor.records import Record


class Failure(Record):
    """Why a picture was given up, as in MpsDoctorError; `prompt` is the picture's."""

    title: str
    detail: str = ""
    hint: str = ""
    prompt: str = ""

    @classmethod
    def of(cls, error: MpsDoctorError, prompt: str = "") -> "Failure":
        """The error as a record for JSON."""
        return cls(title=error.title, detail=error.detail, hint=error.hint, prompt=prompt)


class Job(Record):
    """One dropped file. Its pictures are numbered from 1.

    `seed` never changes, and neither do `sha256` to `pictures` once `Spool.freeze` has set them: so
    another attempt makes the same picture. `attempts` counts the attempts begun, by picture, the
    present one included. `losses` has the signatures of attempts that ended with the worker, and
    `published` the image's name. `fallbacks` has the fallback at which pictures of a model begin.
    `failed_as` is the name in `failed/`, once it is chosen.
    """

    id: str
    name: str
    seed: int
    sha256: str = ""
    profile: str = ""
    fallbacks: dict[str, int] = field(default_factory=dict)
    pictures: int = 0
    attempts: dict[int, int] = field(default_factory=dict)
    losses: dict[int, tuple[str, ...]] = field(default_factory=dict)
    published: dict[int, str] = field(default_factory=dict)
    failures: dict[int, Failure] = field(default_factory=dict)
    failed_as: str = ""


def new_job(name: str) -> Job:
    """A job for a file called `name`. Ids sort by time."""
    return Job(
        id=f"{time.time_ns():020d}-{secrets.token_hex(4)}",
        name=readable(name),
        seed=secrets.randbelow(2**32),
    )


def open_pictures(job: Job) -> list[int]:
    """The pictures neither published nor given up, in order; none before the job is frozen."""
    return [
        number
        for number in range(1, job.pictures + 1)
        if number not in job.published and number not in job.failures
    ]


def is_settled(job: Job) -> bool:
    """Whether every picture of a frozen job is published or given up."""
    return job.pictures > 0 and not open_pictures(job)


def begun(job: Job) -> set[int]:
    """The open pictures with an attempt that has begun."""
    return {number for number in open_pictures(job) if job.attempts.get(number)}


MAX_ATTEMPTS: Final = 3


def retry_policy(attempts: int, signatures: Sequence[str]) -> Literal["retry", "fail"]:
    """After three attempts, or the same crash twice, the picture is given up.

    `attempts` counts the attempts that have begun; `signatures` say how some of them ended.
    """
    same_twice = len(set(signatures)) < len(signatures)
    return "fail" if attempts >= MAX_ATTEMPTS or same_twice else "retry"
