"""Whether to render now, and whether to keep the worker. Pure.

An unknown reading never makes the queue wait.
"""

from dataclasses import dataclass
from typing import Final

from mpsdoctor.facts.records import Pressure, ThermalState
from mpsdoctor.hotfolder.pause import Pause
from mpsdoctor.units import MB, gb


@dataclass(frozen=True)
class Readings:
    """The machine at one moment; None is unknown. `free_bytes` is for the hot folder's disk.

    `on_battery` is False on AC power; `battery_percent` is the charge, 0 to 100.
    """

    pressure: Pressure | None = None
    thermal: ThermalState | None = None
    on_battery: bool | None = None
    battery_percent: int | None = None
    low_power: bool | None = None
    free_bytes: int | None = None


LOW_BATTERY_PERCENT: Final = 40
MIN_FREE_BYTES: Final = 500 * MB
"""With less free space on the hot folder's disk, the queue waits."""

IDLE_S: Final = 600.0
MAX_PICTURES: Final = 500
SLEPT_S: Final = 5.0
"""When a worker is ended: after this idle time, this many pictures, or this much sleep."""

_SHORT_OF_MEMORY: Final = Pause(
    kind="memory",
    title="This Mac is short of memory",
    hint="Quit the programs that take the most (Activity Monitor, Memory).",
)
_COOL: Final = "Clear its vents, put it on a hard surface, quit other busy programs."
_PLUG_IN: Final = "Connect the power adapter"


def reason_to_pause(readings: Readings, *, loaded: bool) -> Pause | None:
    """Why no other picture may begin now.

    When memory gets short, a `loaded` model may continue, but no model is loaded.
    """
    return (
        _disk(readings) or _memory(readings, loaded=loaded) or _heat(readings) or _power(readings)
    )


def reason_to_stop(readings: Readings) -> Pause | None:
    """Why a picture is stopped between two steps, to be rendered again later."""
    if readings.pressure is Pressure.CRITICAL:
        return _SHORT_OF_MEMORY
    return _heat(readings) if readings.thermal is ThermalState.CRITICAL else None


def reason_to_end_worker(
    *,
    idle_s: float,
    pictures: int,
    slept_s: float,
    pressure: Pressure | None,
) -> str | None:
    """Why the worker is ended now, between two pictures; None if it may stay.

    `idle_s` is its idle time, 0 while there is work. `pictures` is how many it has made.
    `slept_s` is how long the machine has slept since the worker started.
    """
    if slept_s >= SLEPT_S:
        return "the Mac has slept, which can make mps slower"  # pytorch #124056
    if pressure is Pressure.CRITICAL or (pressure is Pressure.WARNING and idle_s > 0):
        return "memory is short"
    if idle_s >= IDLE_S:
        return f"there was nothing to do for {IDLE_S / 60:.0f} minutes"
    if pictures >= MAX_PICTURES:
        return f"it has made {pictures} pictures"
    return None


def _disk(readings: Readings) -> Pause | None:
    if readings.free_bytes is None or readings.free_bytes >= MIN_FREE_BYTES:
        return None
    return Pause(
        kind="disk",
        title="The disk with the hot folder is nearly full",
        hint=f"Free some space: the queue continues at {gb(MIN_FREE_BYTES)}.",
    )


def _memory(readings: Readings, *, loaded: bool) -> Pause | None:
    critical = readings.pressure is Pressure.CRITICAL
    if critical or (readings.pressure is Pressure.WARNING and not loaded):
        return _SHORT_OF_MEMORY
    return None


def _heat(readings: Readings) -> Pause | None:
    """From `serious` up, macOS slows the chip down until it has cooled."""
    if readings.thermal in (ThermalState.SERIOUS, ThermalState.CRITICAL):
        return Pause(kind="heat", title="This Mac is too hot", hint=_COOL)
    return None


def _power(readings: Readings) -> Pause | None:
    """Low Power Mode counts only on battery: some users keep it on while on AC power."""
    if not readings.on_battery:
        return None
    charge = readings.battery_percent
    if charge is not None and charge < LOW_BATTERY_PERCENT:
        below = f"The battery is below {LOW_BATTERY_PERCENT} %"
        return Pause(kind="battery", title=below, hint=f"{_PLUG_IN}.")
    if readings.low_power:
        return Pause(
            kind="low-power",
            title="This Mac is on battery, in Low Power Mode",
            hint=f"{_PLUG_IN}, or turn the mode off (System Settings > Battery).",
        )
    return None
