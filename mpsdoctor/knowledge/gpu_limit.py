"""How much memory the GPU of a Mac may hold."""

from dataclasses import dataclass
from enum import Enum

from mpsdoctor.facts.records import Facts
from mpsdoctor.units import GIB, whole_gib


class Source(Enum):
    """Where the limit comes from."""

    METAL = "what Metal recommends on this Mac"
    WIRED_LIMIT = "the limit set by iogpu.wired_limit_mb"
    ESTIMATE = "what Metal usually recommends"
    UNKNOWN = "the memory of this Mac, which is unknown"


@dataclass(frozen=True)
class GpuLimit:
    """The limit; `size_bytes` is None if not even the Mac's memory is known.

    `words` names the source, as the end of a sentence.
    """

    size_bytes: int | None
    source: Source
    words: str


def gpu_limit(facts: Facts) -> GpuLimit:
    """The limit that checks, plans and profiles all use.

    Metal's recommendedMaxWorkingSetSize follows iogpu.wired_limit_mb (antirez/ds4 #893). If the
    two differ, the smaller counts: PyTorch's own limits are multiples of the first, and the kernel
    refuses memory beyond the second. A wired limit of 0 means that macOS decides.
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
    """An estimate, in bytes, of Metal's recommendedMaxWorkingSetSize.

    Two thirds of the memory up to 36 GiB, three quarters above that (ggml-org/llama.cpp #1870,
    ollama/ollama #434). Newer chips and macOS releases allow up to 84 % (antirez/ds4 #893).
    """
    if ram_bytes <= 36 * GIB:
        return ram_bytes * 2 // 3
    return ram_bytes * 3 // 4


def _limit(size_bytes: int | None, source: Source) -> GpuLimit:
    return GpuLimit(size_bytes, source, source.value)
