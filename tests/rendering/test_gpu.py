"""A GPU that is absent, broken or busy for good."""

import threading

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.rendering.gpu import require_gpu


def test_a_gpu_that_never_answers_is_not_waited_for() -> None:
    """Only a restart of the Mac helps, and the error says so."""
    never = threading.Event()

    with pytest.raises(MpsDoctorError, match="does not answer") as refused:
        require_gpu("mps", probe=never.wait, seconds=0.05)

    never.set()
    assert "Restart the Mac" in refused.value.hint


def test_a_gpu_that_fails_is_told_with_its_own_words() -> None:
    """One that works passes, and the CPU needs no GPU."""

    def fail() -> None:
        raise RuntimeError("Failed to create a queue")

    with pytest.raises(MpsDoctorError, match="does not work") as refused:
        require_gpu("mps", probe=fail)
    assert "Failed to create a queue" in refused.value.detail

    require_gpu("mps", probe=lambda: 1.0)
    require_gpu("cpu", probe=fail)
