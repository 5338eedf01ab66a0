"""A job, and how often its pictures are tried."""

import os
import secrets
import time

import pytest

from mpsdoctor.hotfolder.spool.job import (
    Failure,
    Job,
    begun,
    is_settled,
    new_job,
    open_pictures,
    retry_policy,
)


@pytest.mark.parametrize(
    ("attempts", "signatures", "expected"),
    [
        (0, (), "retry"),
        (1, ("SIGABRT",), "retry"),
        (2, ("SIGABRT", "SIGKILL"), "retry"),
        (2, ("SIGABRT", "SIGABRT"), "fail"),
        (2, (), "retry"),
        (3, (), "fail"),
        (3, ("SIGABRT", "SIGKILL", "exit 1"), "fail"),
    ],
)
def test_three_attempts_or_the_same_crash_twice(
    attempts: int, signatures: tuple[str, ...], expected: str
) -> None:
    """Attempts that ended with the daemon, by kill -9 say, have no signature and count."""
    assert retry_policy(attempts, signatures) == expected


def test_a_new_job_has_a_seed_of_32_bits_and_an_id_that_sorts_by_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing else is known of it before its file is read."""
    monkeypatch.setattr(secrets, "randbelow", lambda limit: limit - 1)
    monkeypatch.setattr(secrets, "token_hex", lambda count: "ab" * count)
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_000_000_007)
    job = new_job(os.fsdecode(b"c\xff.txt"))
    assert job == Job(
        id="01800000000000000007-abababab",
        name="c\ufffd.txt",
        seed=2**32 - 1,
        sha256="",
        profile="",
        fallbacks={},
        pictures=0,
        attempts={},
        losses={},
        published={},
        failures={},
        failed_as="",
    )
    assert (open_pictures(job), is_settled(job), begun(job)) == ([], False, set())


def test_a_picture_is_open_until_it_is_published_or_given_up() -> None:
    """It has begun while its last attempt has no known end."""
    failure = Failure(title="It is black")
    job = Job(
        id="1",
        name="cat.txt",
        seed=0,
        pictures=4,
        attempts={1: 1, 2: 1, 3: 2, 4: 0},
        published={1: "cat.png"},
        failures={2: failure},
    )
    assert (open_pictures(job), is_settled(job), begun(job)) == ([3, 4], False, {3})
    settled = Job(
        id="1", name="cat.txt", seed=0, pictures=2, published={1: "x"}, failures={2: failure}
    )
    assert (open_pictures(settled), is_settled(settled)) == ([], True)
