"""Takes the readings that `policy` judges."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from mpsdoctor.facts import command, memory, pmset, sysctl
from mpsdoctor.facts.command import CommandResult, Runner
from mpsdoctor.facts.probes import mac_answer
from mpsdoctor.facts.records import Pressure
from mpsdoctor.hotfolder.machine.policy import Readings

# The commands take milliseconds; one that hangs must not delay the daemon's end.
_SECONDS = 2.0


async def take(root: Path, run: Runner = command.run, kernel: str = sys.platform) -> Readings:
    """All readings, from four short commands on macOS; only the disk on other systems."""
    return await asyncio.to_thread(_take, root, _with_timeout(run), kernel)


async def pressure(run: Runner = command.run, kernel: str = sys.platform) -> Pressure | None:
    """The kernel's memory pressure, from one short command."""
    return await asyncio.to_thread(_pressure, _with_timeout(run), kernel)


def _take(root: Path, run: Runner, kernel: str) -> Readings:
    if kernel != "darwin":
        return Readings(free_bytes=_free_bytes(root))
    power = pmset.read(run)
    return Readings(
        pressure=_pressure(run, kernel),
        thermal=mac_answer.ask(run, sys.executable, "thermal_state").thermal_state,
        on_battery=power.on_battery,
        battery_percent=power.battery_percent,
        low_power=power.low_power_mode,
        free_bytes=_free_bytes(root),
    )


def _pressure(run: Runner, kernel: str) -> Pressure | None:
    return memory.read(sysctl.read(run)).pressure if kernel == "darwin" else None


def _free_bytes(root: Path) -> int | None:
    """Free space now, without purgeable space: macOS may not clear that in time."""
    try:
        return psutil.disk_usage(str(root)).free
    except OSError:
        return None


def _with_timeout(run: Runner) -> Runner:
    def limited(argv: Sequence[str], timeout: float) -> CommandResult:
        return run(argv, min(timeout, _SECONDS))

    return limited
