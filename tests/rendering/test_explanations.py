"""Errors in the user's words."""

import errno
import re

import pytest
import torch

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.knowledge import messages
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
    told = explain(raised.value, "No picture").error
    assert "in deep_inside" in told.detail
    assert told.detail.endswith("IndexError: list index out of range")
    assert ("No picture", messages.hint("known_faults")) == (told.title, told.hint)


def test_no_more_than_the_last_three_places_are_told() -> None:
    """Of a deep call: the outer ones would not fit a terminal."""

    def inmost() -> None:
        raise IndexError("deep")

    def inner() -> None:
        inmost()

    def outer() -> None:
        inner()

    with pytest.raises(IndexError) as raised:
        outer()
    detail = explain(raised.value, "").error.detail
    assert ["outer", "inner", "inmost"] == re.findall(r", in (\w+)\n", detail)
    assert detail.startswith("File")


def test_a_known_error_keeps_its_own_words() -> None:
    """As detail, below what they mean; an error for users is not changed at all."""
    ours = MpsDoctorError("Too large")
    error = RuntimeError(OUT_OF_MEMORY)
    known = messages.of_error(error)
    assert known is not None

    told = explain(error, "No picture").error
    assert ours is explain(ours, "No picture").error
    assert (told.title, told.detail, told.hint) == (
        known.title, f"RuntimeError: {OUT_OF_MEMORY}", known.hint
    )  # fmt: skip


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EPERM])
def test_a_file_that_cannot_be_written_is_the_disks_trouble(code: int) -> None:
    """Whatever the file system says; anything else is the picture's."""
    explained = explain_saving(OSError(code, "No"), "image.png")
    error = explained.error
    assert (explained.cause, error.title, error.detail, error.hint) == (
        "disk",
        "The picture could not be written",
        "image.png: No.",
        "Check that the hot folder's disk is connected, has free space and is writable.",
    )
    assert "image.png: broken." == explain_saving(OSError("broken"), "image.png").error.detail
    other = explain_saving(ValueError("bad mode"), "image.png")
    assert ("job", "This picture could not be saved") == (other.cause, other.error.title)
