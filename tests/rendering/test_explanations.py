"""Errors in the user's words."""

import errno

import pytest
import torch

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.rendering.explanations import explain, explain_saving

OUT_OF_MEMORY = "MPS backend out of memory (MPS allocated: 5.05 GB, other allocations: 2.29 GB)"


@pytest.mark.parametrize(
    ("error", "cause", "is_foreseen"),
    [
        (RuntimeError(OUT_OF_MEMORY), "memory", True),
        (RuntimeError("Invalid buffer size: 104.25 GB"), "memory", True),
        (torch.OutOfMemoryError("CUDA"), "memory", True),
        (MemoryError(), "memory", True),
        (RuntimeError("PyTorch is not linked with support for mps devices"), "gpu", True),
        (RuntimeError("command buffer exited with error status"), "job", True),
        (MpsDoctorError("Too large"), "job", True),
        (IndexError("list index out of range"), "job", False),
        (OSError(errno.ENOSPC, "No space left on device"), "job", False),
    ],
)
def test_an_error_is_told_by_what_caused_it(
    error: Exception, cause: str, is_foreseen: bool
) -> None:
    """Memory and GPU are no fault of the prompt."""
    explained = explain(error, "No picture")

    assert explained.cause == cause
    assert is_foreseen == (explained.error.title != "No picture")


def test_what_nobody_foresaw_is_told_with_its_place() -> None:
    """For a report: the function in which it was raised, and the error as Python names it."""

    def deep_inside() -> None:
        raise IndexError("list index out of range")

    with pytest.raises(IndexError) as raised:
        deep_inside()
    detail = explain(raised.value, "No picture").error.detail
    assert "in deep_inside" in detail
    assert detail.endswith("IndexError: list index out of range")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EPERM])
def test_a_file_that_cannot_be_written_is_the_disks_trouble(code: int) -> None:
    """Whatever the file system says; anything else is the picture's."""
    explained = explain_saving(OSError(code, "No"), "image.png")
    assert explained.cause == "disk"
    assert "image.png" in explained.error.detail
    assert explain_saving(ValueError("bad mode"), "image.png").cause == "job"
