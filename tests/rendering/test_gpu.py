"""A GPU that is absent, broken or busy for good."""

import threading

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.knowledge.rendering import instead_of
from mpsdoctor.rendering.gpu import require_gpu, this_gpu


def test_a_gpu_that_never_answers_is_not_waited_for() -> None:
    """Only a restart of the Mac helps, and the error says so."""
    never = threading.Event()

    with pytest.raises(MpsDoctorError, match="does not respond") as refused:
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


@pytest.mark.parametrize(("macos", "dtype"), [("27.0", "float32"), ("26.4", "bfloat16")])
def test_the_gpu_is_known_by_what_macos_says_of_itself(
    monkeypatch: pytest.MonkeyPatch, macos: str, dtype: str
) -> None:
    """A Python built with an older SDK takes macOS 27 for 16.0 (cpython #135675); there PyTorch
    2.13 aborts in bfloat16 (pytorch #197796)."""
    monkeypatch.setattr("platform.mac_ver", lambda: ("16.0", ("", "", ""), "arm64"))
    monkeypatch.setattr("torch.__version__", "2.13.0")

    gpu = this_gpu(lambda _argv, _timeout: CommandResult(0, f"ProductVersion:\t\t{macos}\n"))

    assert dtype == instead_of("float16", gpu)
