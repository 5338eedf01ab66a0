"""Memory, from recorded values of `sysctl` and recorded output of `vm_stat`."""

from collections.abc import Sequence

import pytest

from mpsdoctor.facts import memory
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.records import Memory, Pressure

LEVEL = "kern.memorystatus_vm_pressure_level"


def test_a_mac_that_swaps_is_read() -> None:
    """Sizes become bytes; the limit's unit is MiB."""
    values = {
        LEVEL: "2",
        "vm.swapusage": "total = 4096.00M  used = 2694.19M  free = 1401.81M  (encrypted)",
        "iogpu.wired_limit_mb": "114688",
    }
    expected = Memory(
        pressure=Pressure.WARNING,
        swap_used_bytes=round(2694.19 * 2**20),
        wired_limit_bytes=112 * 2**30,
    )
    assert expected == memory.read(values)


@pytest.mark.parametrize(
    ("level", "pressure"),
    [("1", Pressure.NORMAL), ("2", Pressure.WARNING), ("4", Pressure.CRITICAL), ("3", None)],
)
def test_the_levels_of_pressure(level: str, pressure: Pressure | None) -> None:
    """The kernel's levels are 1, 2 and 4; anything else is unknown."""
    assert memory.read({LEVEL: level}).pressure is pressure


def test_a_comma_is_a_decimal_point_too() -> None:
    """In many locales sysctl writes a comma."""
    values = {"vm.swapusage": "total = 1024,00M  used = 0,50M  free = 1023,50M"}
    assert memory.read(values).swap_used_bytes == 2**19


def test_silence_is_not_known() -> None:
    """Missing and damaged values are unknown and raise nothing."""
    assert Memory() == memory.read({})
    assert Memory() == memory.read({"vm.swapusage": "none", "iogpu.wired_limit_mb": "", LEVEL: "x"})


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


def test_each_unit_of_swap_is_read() -> None:
    """A number without a fraction, or in another unit, is unknown."""
    for text, used in (("used = 0.00M ", 0), ("used = 5.50M", 5767168), ("used = 5M ", None)):
        assert memory.read({"vm.swapusage": text}).swap_used_bytes == used
    assert memory.read({"vm.swapusage": "unused = 5.50M"}).swap_used_bytes is None
    assert memory.read({"iogpu.wired_limit_mb": "0"}) == Memory(wired_limit_bytes=0)


def in_use(output: str) -> int | None:
    def run(argv: Sequence[str], timeout: float) -> CommandResult:
        assert (tuple(argv), timeout) == (("/usr/bin/vm_stat",), 10.0)
        return CommandResult(0, output)

    return memory.in_use_bytes(run)


def test_what_the_compressor_occupies_counts_and_cached_files_do_not() -> None:
    """App, wired and compressed memory count, in this Mac's page size."""
    assert (247311 - 630 + 159117 + 454496) * 16384 == in_use(FULL)


@pytest.mark.parametrize("lost", ["page size", "Anonymous", "wired", "occupied", "Mach"])
def test_half_an_answer_is_not_known(lost: str) -> None:
    """If a line is missing, the sum is unknown."""
    lines = [line for line in FULL.splitlines(keepends=True) if lost not in line]
    assert in_use("".join(lines)) is None
