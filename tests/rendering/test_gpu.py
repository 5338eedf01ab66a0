"""A GPU that is absent, broken or busy for good."""

import threading

import pytest
import torch
from packaging.version import Version

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.knowledge.device import Device
from mpsdoctor.knowledge.rendering import instead_of
from mpsdoctor.rendering.gpu import require_gpu, this_gpu


def test_a_gpu_that_never_answers_is_not_waited_for() -> None:
    """Only a restart of the Mac helps, and the error says so."""
    never = threading.Event()

    with pytest.raises(MpsDoctorError) as refused:
        require_gpu("mps", probe=never.wait, seconds=0.05)

    never.set()
    assert (refused.value.title, refused.value.detail, refused.value.hint) == (
        "The GPU does not respond",
        "One small computation did not finish within 0.05 seconds. This happens after a program "
        "was killed while it used the GPU.",
        "Restart the Mac: nothing else frees the GPU.",
    )


def test_a_gpu_that_fails_is_told_with_its_own_words() -> None:
    """One that works passes, and the CPU needs no GPU."""

    def fail() -> None:
        raise RuntimeError("Failed to create a queue")

    with pytest.raises(MpsDoctorError) as refused:
        require_gpu("mps", probe=fail)
    assert (refused.value.title, refused.value.detail, refused.value.hint) == (
        "The GPU does not work",
        "RuntimeError: Failed to create a queue",
        "Restart the Mac, then run `mpsdoctor check`.",
    )

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
    assert gpu == Device(torch=Version("2.13.0"), macos=Version(macos))


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="this machine has an mps device")
def test_a_gpu_that_is_absent_is_not_asked() -> None:
    """PyTorch would raise an error of its own."""
    with pytest.raises(MpsDoctorError, match="torch cannot use the mps device here"):
        require_gpu("mps")
    require_gpu("cpu")
