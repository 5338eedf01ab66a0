"""Small parts of the supervisor."""

import signal

import pytest

from mpsdoctor.hotfolder.endings import describe_ending
from mpsdoctor.hotfolder.supervisor import worker_environment
from mpsdoctor.profile.model import Profile


def test_the_users_variables_win_and_nothing_is_downloaded() -> None:
    """The worker gets the profile's variables under the user's own, and no way to the network."""
    profile = Profile(environment={"A": "profile", "B": "profile"})
    environ = {"B": "user", "HF_HUB_OFFLINE": "0"}
    assert worker_environment(profile, environ) == {
        "A": "profile",
        "B": "user",
        "HF_HUB_OFFLINE": "1",
    }


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGBUS])
def test_an_ending_is_named_and_explained(number: signal.Signals) -> None:
    """The user reads the signal's name and what it means."""
    assert number.name in describe_ending(-number)
    assert len(describe_ending(-number)) > 40
    assert "exit status 1" in describe_ending(1)
