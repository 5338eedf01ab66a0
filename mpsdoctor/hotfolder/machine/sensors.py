"""Takes the readings that `conditions` decides over."""

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

# They answer within milliseconds; one that hangs must not hold up the daemon's end.
_SECONDS = 2.0


async def take(root: Path, run: Runner = command.run, kernel: str = sys.platform) -> Readings:
    """All readings, by four short commands on macOS and of the disk alone elsewhere."""
    return await asyncio.to_thread(_take, root, _hurried(run), kernel)


async def pressure(run: Runner = command.run, kernel: str = sys.platform) -> Pressure | None:
    """What the kernel thinks of the memory that is left, by one short command."""
    return await asyncio.to_thread(_pressure, _hurried(run), kernel)


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
    """What is free now: macOS may clear purgeable space, or not in time."""
    try:
        return psutil.disk_usage(str(root)).free
    except OSError:
        return None


def _hurried(run: Runner) -> Runner:
    def hurried(argv: Sequence[str], timeout: float) -> CommandResult:
        return run(argv, min(timeout, _SECONDS))

    return hurried
