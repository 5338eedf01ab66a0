"""Memory in use on a Mac, from recorded output of `vm_stat`."""

import pytest

from mpsdoctor.facts import vm_stat
from mpsdoctor.facts.command import CommandResult

# Apple silicon with 16 GB, of which macOS called 38 % free.
FULL = """\
Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                                4518.
Pages active:                            194947.
Pages inactive:                          191193.
Pages speculative:                         3014.
Pages throttled:                              0.
Pages wired down:                        159117.
Pages purgeable:                            630.
"Translation faults":                 574921966.
Pages copy-on-write:                   38671927.
File-backed pages:                       141843.
Anonymous pages:                         247311.
Pages stored in compressor:             1022243.
Pages occupied by compressor:            454496.
Swapouts:                                929703.
"""


def in_use(output: str) -> int | None:
    return vm_stat.in_use_bytes(lambda _argv, _timeout: CommandResult(0, output))


def test_what_the_compressor_occupies_counts_and_cached_files_do_not() -> None:
    """App memory, wired and compressed, in the pages of this Mac."""
    assert (247311 - 630 + 159117 + 454496) * 16384 == in_use(FULL)


@pytest.mark.parametrize("lost", ["page size", "Anonymous", "wired", "occupied", "Mach"])
def test_half_an_answer_is_not_known(lost: str) -> None:
    """A line that is missing makes the sum wrong."""
    lines = [line for line in FULL.splitlines(keepends=True) if lost not in line]
    assert in_use("".join(lines)) is None
