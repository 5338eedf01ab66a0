"""A dropped file as a job: what is asked of it, and how far its pictures have come. Pure."""

import secrets
import time
from collections.abc import Sequence
from typing import Final, Literal

from msgspec import field

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.spool.names import readable
from mpsdoctor.records import Record


class Failure(Record):
    """Why a picture was given up, as in MpsDoctorError; `prompt` says which one it was."""

    title: str
    detail: str = ""
    hint: str = ""
    prompt: str = ""

    @classmethod
    def of(cls, error: MpsDoctorError, prompt: str = "") -> "Failure":
        """The same, fit for JSON."""
        return cls(title=error.title, detail=error.detail, hint=error.hint, prompt=prompt)


class Job(Record):
    """One dropped file. Its pictures are numbered from 1.

    `seed`, and `sha256` to `pictures` once `Spool.freeze` has set them, stay as they are, so that
    another attempt makes the same picture. By picture: `attempts` are the ones that have begun,
    the present one included; `losses` are the signatures of those that ended with the worker;
    `published` is the image's name. `fallbacks` says by model at which fallback a picture begins.
    `failed_as` is the name in `failed/`, once one is chosen.
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
    """Ids sort in the order of time."""
    return Job(
        id=f"{time.time_ns():020d}-{secrets.token_hex(4)}",
        name=readable(name),
        seed=secrets.randbelow(2**32),
    )


def open_pictures(job: Job) -> list[int]:
    """The numbers that are neither published nor given up, in order; none before it is frozen."""
    return [
        number
        for number in range(1, job.pictures + 1)
        if number not in job.published and number not in job.failures
    ]


def is_settled(job: Job) -> bool:
    """Whether every picture of a frozen job is published or given up."""
    return job.pictures > 0 and not open_pictures(job)


def begun(job: Job) -> set[int]:
    """The pictures of which an attempt has begun whose end is not recorded."""
    return {number for number in open_pictures(job) if job.attempts.get(number)}


MAX_ATTEMPTS: Final = 3


def retry_policy(attempts: int, signatures: Sequence[str]) -> Literal["retry", "fail"]:
    """After three attempts, or the same crash twice, another would end the same way.

    `attempts` are the ones that have begun; `signatures` say how some of them ended.
    """
    same_twice = len(set(signatures)) < len(signatures)
    return "fail" if attempts >= MAX_ATTEMPTS or same_twice else "retry"
