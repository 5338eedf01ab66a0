"""The meaning of what PyTorch and Metal print or raise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.knowledge import messages
from mpsdoctor.knowledge.messages import of_error, on_stderr
from mpsdoctor.rendering.protocol import sentinel

PRINTED = {
    "(Insufficient Memory) kIOGPUCommandBufferCallbackErrorOutOfMemory": "out of memory",
    "Execution of the command buffer was aborted (Insufficient Memory (00000008:": "out of memory",
    "RuntimeError: MPS backend out of memory (MPS allocated: 5.05 GB)": "out of memory",
    "RuntimeError: Invalid buffer size: 104.25 GB": "out of memory",
    "Error: command buffer exited with error status.\n\tThe Metal Performance Shaders operations "
    "encoded on it may not have completed.": "command buffer",
    "Internal Error (0000000e:kIOGPUCommandBufferCallbackErrorInternal)": "command buffer",
    "/AppleInternal/MPSCore/Types/MPSNDArray.mm:850: failed assertion `[MPSNDArray "
    "initWithDevice:descriptor:] Error: product of dimension sizes > 2**31'": "block too large",
    "MPSNDArray, larger than 2**32": "block too large",
    "Error: MPSNDArray is an NDArray": "block too large",
    "Error: total bytes of NDArray > 2**32": "block too large",
    "LLVM ERROR: Failed to infer result type(s).": "compiler",
    "loc: error: MLIR pass manager failed": "compiler",
    "MLIR pass failed": "compiler",
    "MPSGraphExecutable.mm:1: original module: pass failed": "compiler",
    "MPSKernel.mm:22: failed assertion `unsupported'": "assertion",
}
RAISED = {
    "MemoryError": "not enough memory",
    "_ArrayMemoryError: Unable to allocate": "not enough memory",
    "Error: a MemoryErrors": None,
    "RuntimeError: [enforce fail at alloc_cpu.cpp] . DefaultCPUAllocator: not enough memory: you "
    "tried to allocate 8 bytes.": "not enough memory",
    "RuntimeError: DefaultCPUAllocator: can't allocate memory": "not enough memory",
    "RuntimeError: MPS backend is not available": "no gpu",
    "RuntimeError: The MPS device is not supported": "no gpu",
    "RuntimeError: mps is not available": "no gpu",
    "RuntimeError: PyTorch is not linked with support for mps devices": "no gpu",
    "RuntimeError: Failed to create Metal shared library": "no gpu",
    "RuntimeError: Failed to create a Metal device": "no gpu",
    "RuntimeError: something else": None,
}
LESS = (
    "Make the picture smaller, close other programs, or run `mpsdoctor plan MODEL` to see what "
    'fits. `attention = "bounded"` and `vae_tiling = true` in the profile need much less memory.'
)
CHECK = "Run `mpsdoctor check`: it lists the known faults of this PyTorch on this macOS."
OTHER = 'A newer macOS or PyTorch may help, or another `dtype`, such as "float32".'
GPU = "Run `mpsdoctor check`: it says why the GPU cannot be used."
ANSWERS = {
    "out of memory": (True, "memory", "The GPU ran out of memory", LESS),
    "not enough memory": (
        False, "memory", "There is not enough memory for this picture", LESS
    ),
    "no gpu": (False, "gpu", "The GPU is no longer available", GPU),
    "command buffer": (
        True, "job", "The GPU stopped in the middle of this picture", f"{LESS} {CHECK}"
    ),
    "block too large": (
        True, "job", "This picture needs a block of memory that Metal cannot handle", LESS
    ),
    "compiler": (True, "job", "Metal could not compile this model", f"{CHECK} {OTHER}"),
    "assertion": (True, "job", "One of Metal's own checks failed", f"{CHECK} {LESS}"),
}  # fmt: skip


def raised(text: str) -> BaseException:
    """An exception with the class and the text that `text` names."""
    name, _, said = text.partition(": ")
    kind: type[Exception] = type(name, (Exception,), {})
    return kind(said)


@pytest.mark.parametrize("line", PRINTED)
def test_a_message_means_the_same_printed_and_raised(line: str) -> None:
    """A printed line and an exception with the same text mean the same, in any case."""
    for text in (line, line.upper(), line.lower()):
        found = on_stderr(text)
        assert found is not None
        assert found is of_error(RuntimeError(text))
        assert found.name == PRINTED[line]


@pytest.mark.parametrize("text", RAISED)
def test_some_messages_count_only_as_an_exception(text: str) -> None:
    """The class or the text identifies them; printed, they are ignored."""
    found = of_error(raised(text))
    assert (found.name if found else None) == RAISED[text]
    assert on_stderr(text) is None


def test_every_message_has_its_answer() -> None:
    """What happened, what another attempt depends on, and what to do."""
    assert {
        known.name: (known.on_stderr, known.cause, known.title, known.hint)
        for known in messages.load().message
    } == ANSWERS
    assert all(known.detail and known.sources for known in messages.load().message)
    assert messages.hint("smaller") == "A smaller picture often avoids them."


@pytest.mark.parametrize(
    "line",
    [
        "",
        "resource_tracker: There appear to be 1 leaked semaphore objects to clean up at shutdown",
        "resource_tracker: There appear to be 1 leaked objects after an LLVM ERROR",
        "python(1) MallocStackLogging: can't turn off malloc stack logging: failed assertion",
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


@given(before=st.text(), after=st.text())
def test_a_message_is_found_in_any_line(before: str, after: str) -> None:
    """Other text before and after a message, of any length, changes nothing."""
    found = on_stderr(f"{before * 100}LLVM ERROR{after * 100}")
    assert found is not None
    assert (found.name, on_stderr(before * 100)) == ("compiler", None)
