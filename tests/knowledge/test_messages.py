"""The meaning of what PyTorch and Metal print or raise."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.knowledge import messages
from mpsdoctor.knowledge.messages import of_error, on_stderr
from mpsdoctor.rendering.protocol import sentinel


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (
            "Error: command buffer exited with error status.\n\tThe Metal Performance Shaders "
            "operations encoded on it may not have completed.",
            "command buffer",
        ),
        ("Internal Error (0000000e:kIOGPUCommandBufferCallbackErrorInternal)", "command buffer"),
        ("(Insufficient Memory) kIOGPUCommandBufferCallbackErrorOutOfMemory", "out of memory"),
        ("RuntimeError: MPS backend out of memory (MPS allocated: 5.05 GB)", "out of memory"),
        ("RuntimeError: Invalid buffer size: 104.25 GB", "out of memory"),
        (
            "/AppleInternal/MPSCore/Types/MPSNDArray.mm:850: failed assertion `[MPSNDArray "
            "initWithDevice:descriptor:] Error: total bytes of NDArray > 2**32'",
            "block too large",
        ),
        ("LLVM ERROR: Failed to infer result type(s).", "compiler"),
        ("MPSKernel.mm:22: failed assertion `unsupported'", "assertion"),
    ],
)
def test_a_message_means_the_same_printed_and_raised(line: str, name: str) -> None:
    """A printed line and an exception with the same text mean the same."""
    for found in (on_stderr(line), of_error(RuntimeError(line))):
        assert found is not None
        assert found.name == name
        assert found.title
        assert "`" in found.hint


@pytest.mark.parametrize(
    "line",
    [
        "",
        "resource_tracker: There appear to be 1 leaked semaphore objects to clean up at shutdown",
        "UserWarning: The operator 'aten::_cdist_forward' is not currently supported on the MPS "
        "backend and will fall back to run on the CPU.",
        "100%|██████████| 30/30 [00:12<00:00,  2.41it/s]",
        "Token indices sequence length is longer than the specified maximum (120 > 77)",
        "There is not enough memory for a preview",
        "MPS backend is not available: images are shown by the CPU",
        sentinel("20261123-1", 3),
    ],
)
def test_what_libraries_print_besides_costs_no_picture(line: str) -> None:
    """Unrelated lines, and those that matter only as an exception, are ignored."""
    assert on_stderr(line) is None


def test_the_table_is_whole() -> None:
    """Every pattern is a regular expression, and every hint exists."""
    table = messages.load()
    for known in table.message:
        assert all(map(re.compile, known.patterns))
        assert known.hint
    names = [known.name for known in table.message]
    assert len(set(names)) == len(names)


@given(st.text())
def test_any_line_can_be_read(line: str) -> None:
    """Any line can be read, however long it is."""
    on_stderr(line * 100)
