"""How macOS judges its memory now, from the values of `sysctl`."""

import re

from mpsdoctor.facts import sysctl
from mpsdoctor.facts.records import Memory, Pressure

_MIB = 2**20
# xnu's kVMPressureNormal, Warning and Critical.
_PRESSURES = {1: Pressure.NORMAL, 2: Pressure.WARNING, 4: Pressure.CRITICAL}
# As in "total = 4096.00M  used = 2694.19M  free = 1401.81M  (encrypted)", with the locale's comma.
_USED = re.compile(r"\bused = (\d+)[.,](\d+)M\b")


def read(values: dict[str, str]) -> Memory:
    """What `values`, as sysctl.read gave them, say of memory."""
    level = sysctl.number(values, "kern.memorystatus_vm_pressure_level")
    wired = sysctl.number(values, "iogpu.wired_limit_mb")
    return Memory(
        pressure=_PRESSURES.get(level) if level is not None else None,
        swap_used_bytes=_swap_used(values.get("vm.swapusage", "")),
        wired_limit_bytes=wired * _MIB if wired is not None else None,
    )


def _swap_used(text: str) -> int | None:
    used = _USED.search(text)
    return round(float(f"{used.group(1)}.{used.group(2)}") * _MIB) if used else None
