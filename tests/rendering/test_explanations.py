"""Errors in the user's words."""

import errno

import pytest
import torch

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.rendering.explanations import explain, explain_saving

OUT_OF_MEMORY = "MPS backend out of memory (MPS allocated: 5.05 GB, other allocations: 2.29 GB)"


@pytest.mark.parametrize(
    ("error", "cause", "foreseen"),
    [
        (RuntimeError(OUT_OF_MEMORY), "memory", True),
        (RuntimeError("Invalid buffer size: 104.25 GB"), "memory", True),
        (torch.OutOfMemoryError("CUDA"), "memory", True),
        (MemoryError(), "memory", True),
        (RuntimeError("PyTorch is not linked with support for mps devices"), "gpu", True),
        (MpsDoctorError("Too large"), "job", True),
        (IndexError("list index out of range"), "job", False),
        (OSError(errno.ENOSPC, "No space left on device"), "job", False),
    ],
)
def test_an_error_is_told_by_what_caused_it(error: Exception, cause: str, foreseen: bool) -> None:
    """Memory and GPU are no fault of the prompt; what nobody foresaw is known as such."""
    explained = explain(error, "No picture")

    assert (cause, foreseen) == (explained.cause, explained.foreseen)
    assert foreseen == (explained.error.title != "No picture")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EPERM])
def test_a_file_that_cannot_be_written_is_the_disks_trouble(code: int) -> None:
    """Whatever the file system says; anything else is the picture's."""
    explained = explain_saving(OSError(code, "No"), "image.png")
    assert ("disk", True) == (explained.cause, explained.foreseen)
    assert "image.png" in explained.error.detail
    assert explain_saving(ValueError("bad mode"), "image.png").cause == "job"
