"""Lines on the worker's stderr after which its pictures are not to be trusted; pure."""

import re
from dataclasses import dataclass

_SMALLER = (
    "Make the picture smaller, or let `mpsdoctor plan MODEL` say what fits here: "
    '`attention = "bounded"` and `vae_tiling = true` in the profile need much less memory.'
)
_CHECK = "Run `mpsdoctor check`: it knows the faults of this PyTorch on this macOS."


@dataclass(frozen=True)
class Complaint:
    """What such a line means; `name` is the same for the same trouble."""

    name: str
    title: str
    detail: str
    hint: str


_NOISE = re.compile(
    # What Python says of semaphores after any crash; what tools that the user runs inspect.
    r"resource_tracker: There appear to be|MallocStackLogging: can't turn off"
)

_COMPLAINTS = (
    (  # A1111 #9133, diffusers #5894, mflux #145
        re.compile(
            r"kIOGPUCommandBufferCallbackErrorOutOfMemory|Insufficient Memory \(0*8:"
            r"|MPS backend out of memory|Invalid buffer size",
            re.IGNORECASE,
        ),
        Complaint(
            "out of memory",
            "The GPU ran out of memory",
            "What was computed after that is not complete, so the picture was thrown away.",
            _SMALLER,
        ),
    ),
    (  # pytorch #123171, #125954: nothing is raised
        re.compile(r"command buffer exited with error status|kIOGPUCommandBufferCallbackError"),
        Complaint(
            "command buffer",
            "The GPU gave up in the middle of this picture",
            "Metal says that a part of the work was not done (command buffer exited with error "
            "status). The picture would be silently wrong, so it was thrown away.",
            f"{_SMALLER} {_CHECK}",
        ),
    ),
    (  # pytorch #143859, #149261, #84039
        re.compile(r"MPSNDArray.*(failed assertion|NDArray|2\*\*3[12])|total bytes of NDArray"),
        Complaint(
            "block too large",
            "This picture needs a block of memory that Metal cannot handle",
            "Metal ends the process at a block of 2³² bytes, however much memory the Mac has.",
            _SMALLER,
        ),
    ),
    (  # pytorch #149132
        re.compile(r"LLVM ERROR|MLIR pass (manager )?failed|MPSGraph.*pass failed"),
        Complaint(
            "compiler",
            "Metal could not compile this model",
            "Its compiler gave up (LLVM ERROR).",
            f'{_CHECK} A newer macOS or PyTorch may help, or another `dtype`, such as "float32".',
        ),
    ),
    (
        re.compile(r"failed assertion"),
        Complaint(
            "assertion",
            "Metal stopped at one of its own checks",
            "It ends the process then (failed assertion).",
            f"{_CHECK} {_SMALLER}",
        ),
    ),
)


def complaint(line: str) -> Complaint | None:
    """What this line complains of; None for all the rest that libraries print."""
    if _NOISE.search(line):
        return None
    return next((known for pattern, known in _COMPLAINTS if pattern.search(line)), None)
