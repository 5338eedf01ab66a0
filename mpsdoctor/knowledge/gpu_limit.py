"""How much memory the GPU of a Mac may hold."""

from dataclasses import dataclass
from enum import Enum

from mpsdoctor.facts.records import Facts
from mpsdoctor.units import GIB, whole_gib


class Source(Enum):
    """What says how large the limit is."""

    METAL = "what Metal recommends on this Mac"
    WIRED_LIMIT = "the limit set by iogpu.wired_limit_mb"
    ESTIMATE = "what Metal usually recommends"
    UNKNOWN = "the memory of this Mac, which is not known"


@dataclass(frozen=True)
class GpuLimit:
    """`size_bytes` is None where not even the memory of the Mac is known.

    `words` name the source, as the end of a sentence.
    """

    size_bytes: int | None
    source: Source
    words: str


def gpu_limit(facts: Facts) -> GpuLimit:
    """What checks, plans and profiles agree on.

    Metal's recommendedMaxWorkingSetSize follows iogpu.wired_limit_mb (antirez/ds4 #893). Where
    the two differ nevertheless, the smaller counts: PyTorch measures its own limits by the first,
    and the kernel refuses what exceeds the second. A wired limit of 0 means that macOS decides.
    """
    ram, wired = facts.hardware.ram_bytes, facts.memory.wired_limit_bytes
    metal = facts.memory.working_set_bytes
    if wired and not (metal and metal <= wired):
        return _limit(wired if ram is None else min(wired, ram), Source.WIRED_LIMIT)
    if metal:
        return _limit(metal, Source.METAL)
    if ram is None:
        return _limit(None, Source.UNKNOWN)
    words = f"{Source.ESTIMATE.value} on a Mac with {whole_gib(ram)}"
    return GpuLimit(usual_working_set(ram), Source.ESTIMATE, words)


def usual_working_set(ram_bytes: int) -> int:
    """An estimate, in bytes, of what Metal gives as recommendedMaxWorkingSetSize.

    Two thirds of the memory up to 36 GiB and three quarters above (ggml-org/llama.cpp #1870,
    ollama/ollama #434); newer chips and macOS releases give up to 84 % (antirez/ds4 #893).
    """
    if ram_bytes <= 36 * GIB:
        return ram_bytes * 2 // 3
    return ram_bytes * 3 // 4


def _limit(size_bytes: int | None, source: Source) -> GpuLimit:
    return GpuLimit(size_bytes, source, source.value)
