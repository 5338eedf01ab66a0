"""How often a picture is tried."""

import pytest

from mpsdoctor.hotfolder.spool.job import retry_policy


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
