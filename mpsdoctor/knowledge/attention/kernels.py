"""Which attention calls mps computes without a score matrix; no torch."""

from packaging.version import Version

_FLASH = Version("2.13")
_FEW_QUERIES = Version("2.8")
_MACOS = Version("15")
_HEADS = (32, 64, 72, 80, 96, 128, 256)
_HEADS_OF_FEW = (64, 96, 128, 256)
_FEW = 8
_DTYPES = ("float16", "bfloat16", "float32")


def keeps_no_scores(
    torch: Version, macos: Version | None, queries: int, head_size: int, dtype: str
) -> bool:
    """Whether PyTorch's own kernels compute attention with this number of queries on mps.

    The flash kernels came with 2.13 (pytorch #181575), those for a few queries with 2.8 (#152781).
    Before macOS 15 both need contiguous inputs, and Diffusers' are not.
    """
    if macos is not None and macos < _MACOS:
        return False
    if queries <= _FEW:
        return torch >= _FEW_QUERIES and head_size in _HEADS_OF_FEW
    return torch >= _FLASH and head_size in _HEADS and dtype in _DTYPES
