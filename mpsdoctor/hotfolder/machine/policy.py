"""Whether this is a moment to render, and whether the worker may stay. Pure.

What is not known never makes the queue wait.
"""

from dataclasses import dataclass
from typing import Final

from mpsdoctor.facts.records import Pressure, ThermalState
from mpsdoctor.hotfolder.pause import Pause
from mpsdoctor.units import MB, gb


@dataclass(frozen=True)
class Readings:
    """The machine at one moment; None is unknown. `free_bytes` are those of the hot folder's disk.

    `on_battery` is False on mains; `battery_percent` is the charge, 0 to 100.
    """

    pressure: Pressure | None = None
    thermal: ThermalState | None = None
    on_battery: bool | None = None
    battery_percent: int | None = None
    low_power: bool | None = None
    free_bytes: int | None = None


LOW_BATTERY_PERCENT: Final = 40
FREE_BYTES: Final = 500 * MB
"""Of the hot folder's disk; with less the queue waits."""

IDLE_S: Final = 600.0
MOST_PICTURES: Final = 500
SLEPT_S: Final = 5.0
"""So long a worker may be idle, so many pictures it may make, so much sleep it may see."""

_SHORT_OF_MEMORY: Final = Pause(
    kind="memory",
    title="This Mac is short of memory",
    hint="Quit the programs that take the most (Activity Monitor, Memory).",
)
_COOL: Final = "Free its vents, put it on a hard surface, end what else keeps it busy."
_PLUG_IN: Final = "Connect the power adapter"


def reason_to_pause(readings: Readings, *, loaded: bool) -> Pause | None:
    """Why no other picture is begun now.

    A model that is `loaded` may go on while memory is getting short, but none is loaded then.
    """
    return (
        _disk(readings) or _memory(readings, loaded=loaded) or _heat(readings) or _power(readings)
    )


def reason_to_stop(readings: Readings) -> Pause | None:
    """Why a picture is given up between two steps, to be rendered anew later."""
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
    """Why the worker is ended now, between two pictures; None where it may stay.

    `idle_s` is how long it has had nothing to do (0 while there is work), `pictures` how many it
    has made, and `slept_s` how long the machine has slept since it was started.
    """
    if slept_s >= SLEPT_S:
        return "the Mac has slept, and mps may be slower since"  # pytorch #124056
    if pressure is Pressure.CRITICAL or (pressure is Pressure.WARNING and idle_s > 0):
        return "memory is short"
    if idle_s >= IDLE_S:
        return f"there was nothing to do for {IDLE_S / 60:.0f} minutes"
    if pictures >= MOST_PICTURES:
        return f"it has made {pictures} pictures"
    return None


def _disk(readings: Readings) -> Pause | None:
    if readings.free_bytes is None or readings.free_bytes >= FREE_BYTES:
        return None
    return Pause(
        kind="disk",
        title="The disk of the hot folder is nearly full",
        hint=f"Free some space: the queue continues at {gb(FREE_BYTES)}.",
    )


def _memory(readings: Readings, *, loaded: bool) -> Pause | None:
    critical = readings.pressure is Pressure.CRITICAL
    if critical or (readings.pressure is Pressure.WARNING and not loaded):
        return _SHORT_OF_MEMORY
    return None


def _heat(readings: Readings) -> Pause | None:
    """From `serious` on macOS slows the chip down until it has cooled."""
    if readings.thermal in (ThermalState.SERIOUS, ThermalState.CRITICAL):
        return Pause(kind="heat", title="This Mac is too hot", hint=_COOL)
    return None


def _power(readings: Readings) -> Pause | None:
    """Low Power Mode counts on battery only: some Macs are always in it on mains, by choice."""
    if not readings.on_battery:
        return None
    charge = readings.battery_percent
    if charge is not None and charge < LOW_BATTERY_PERCENT:
        below = f"The battery is below {LOW_BATTERY_PERCENT} %"
        return Pause(kind="battery", title=below, hint=f"{_PLUG_IN}.")
    if readings.low_power:
        return Pause(
            kind="low-power",
            title="This Mac runs on its battery, in Low Power Mode",
            hint=f"{_PLUG_IN}, or switch the mode off (System Settings > Battery).",
        )
    return None
