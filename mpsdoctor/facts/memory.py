"""A Mac's memory now: the pressure, from `sysctl`, and the memory in use, from `vm_stat`."""

import re

from mpsdoctor.facts import sysctl
from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.records import Memory, Pressure
from mpsdoctor.units import MIB

VM_STAT = ("/usr/bin/vm_stat",)
_SECONDS = 10.0

_PAGE = re.compile(r"page size of (\d+) bytes")
_COUNT = re.compile(r"^([^:\n]+):\s+(\d+)\.$", re.MULTILINE)

# xnu's kVMPressureNormal, Warning and Critical.
_PRESSURES = {1: Pressure.NORMAL, 2: Pressure.WARNING, 4: Pressure.CRITICAL}
# As in "total = 4096.00M  used = 2694.19M  free = 1401.81M  (encrypted)", with the locale's comma.
_USED = re.compile(r"\bused = (\d+)[.,](\d+)M\b")


def read(values: dict[str, str]) -> Memory:
    """The memory facts in `values`, which are those of sysctl.read."""
    level = sysctl.number(values, "kern.memorystatus_vm_pressure_level")
    wired = sysctl.number(values, "iogpu.wired_limit_mb")
    return Memory(
        pressure=_PRESSURES.get(level) if level is not None else None,
        swap_used_bytes=_swap_used(values.get("vm.swapusage", "")),
        wired_limit_bytes=wired * MIB if wired is not None else None,
    )


def in_use_bytes(run: Runner) -> int | None:
    """The memory of programs and macOS that cannot be freed without compressing or swapping.

    It is app memory, wired memory and compressed memory, as Activity Monitor counts them.
    (dylanaraps/neofetch #1752, eneskirca/nodeterm #135, graelo/pumas #36)
    In contrast, psutil's `used` includes cached files and omits the compressor
    (psutil/arch/osx/mem.c).
    """
    output = run(VM_STAT, _SECONDS).stdout
    page = _PAGE.search(output)
    pages = {name: int(count) for name, count in _COUNT.findall(output)}
    try:
        held = (
            pages["Anonymous pages"]
            - pages["Pages purgeable"]
            + pages["Pages wired down"]
            + pages["Pages occupied by compressor"]
        )
    except KeyError:
        return None
    return held * int(page[1]) if page else None


def _swap_used(text: str) -> int | None:
    used = _USED.search(text)
    return round(float(f"{used.group(1)}.{used.group(2)}") * MIB) if used else None
