"""How much memory macOS lets the GPU have."""

_GIB = 2**30


def usual_working_set(ram_bytes: int) -> int:
    """An estimate, in bytes, of what Metal gives as recommendedMaxWorkingSetSize.

    Two thirds of the memory up to 36 GB and three quarters above (ggml-org/llama.cpp #1870,
    ollama/ollama #434); newer chips and macOS releases give up to 84 % (antirez/ds4 #893).
    """
    if ram_bytes <= 36 * _GIB:
        return ram_bytes * 2 // 3
    return ram_bytes * 3 // 4
