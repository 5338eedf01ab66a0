"""MPS4xx: memory, which macOS, every program and the GPU share."""

from mpsdoctor.checks.model import Finding, Remedy, Severity
from mpsdoctor.facts.model import Facts
from mpsdoctor.knowledge import floors

_GIB = 2**30
# An M1 with 8 GB renders Stable Diffusion 1.5 at 512×512 in float16 (rupeshs/fastsdcpu #1);
# Stable Diffusion XL does not fit beside macOS there (lllyasviel/Fooocus #1341).
_COMFORTABLE_GIB = 16


def ram(facts: Facts) -> Finding | None:
    """Below 64 GB Diffusers' page on mps wants attention in slices, lest the Mac swaps."""
    guide = floors.load().guide
    if facts.hardware.ram_bytes is None:
        return Finding(
            severity=Severity.NOTE,
            observed="How much memory this Mac has is not known.",
            expected="a known amount, by which the profile chooses its settings",
            impact="The profile keeps to settings for a Mac with little memory.",
            remedy=Remedy(
                text="See what this prints, in bytes:",
                commands=("/usr/sbin/sysctl -n hw.memsize",),
            ),
        )
    size = facts.hardware.ram_bytes / _GIB
    if size >= guide.ram_gib_recommended:
        return None
    if size >= _COMFORTABLE_GIB:
        return Finding(
            severity=Severity.NOTE,
            observed=f"{size:.0f} GB of memory",
            expected=f"{guide.ram_gib_recommended} GB to render without saving memory",
            impact="In pictures larger than 512×512 attention can fill the memory; the Mac then "
            "swaps and slows down many times over.",
            remedy=Remedy(
                text="Nothing to do: the profile takes it into account, also in your own code "
                "(from mpsdoctor import load_profile)."
            ),
        )
    return Finding(
        severity=Severity.WARNING,
        observed=f"{size:.0f} GB of memory",
        expected=f"{_COMFORTABLE_GIB} GB or more",
        impact="Stable Diffusion 1.5 renders at 512×512; larger pictures and larger models, such "
        "as SDXL, run out of memory or swap.",
        remedy=Remedy(
            text="Close other programs while rendering, and keep to small models and 512×512. The "
            "profile keeps PyTorch from taking more memory than the Mac has."
        ),
    )
