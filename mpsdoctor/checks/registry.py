"""Every check, in the order of the report. Ids are never given to another check."""

from mpsdoctor.checks import diffusers, mac, memory, python, pytorch
from mpsdoctor.checks.model import Check

CHECKS: tuple[Check, ...] = (
    Check("MPS101", "Apple silicon Mac", mac.apple_silicon),
    Check("MPS102", "macOS version", mac.macos_version, requires=("MPS101",)),
    Check("MPS103", "macOS for this PyTorch", mac.macos_for_torch, requires=("MPS101",)),
    Check("MPS201", "native Python", python.native),
    Check("MPS301", "PyTorch", pytorch.starts, requires=("MPS201",)),
    Check("MPS302", "PyTorch version", pytorch.version, requires=("MPS201",)),
    Check("MPS303", "mps built in", pytorch.mps_built, requires=("MPS101", "MPS301")),
    Check(
        "MPS304",
        "mps available",
        pytorch.mps_available,
        requires=("MPS101", "MPS103", "MPS301", "MPS303"),
    ),
    Check("MPS401", "memory", memory.ram, requires=("MPS101",)),
    Check("MPS601", "Diffusers", diffusers.diffusers, requires=("MPS201",)),
    Check("MPS602", "Transformers", diffusers.transformers, requires=("MPS201",)),
)
