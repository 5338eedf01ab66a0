"""When the queue pauses, when a picture is stopped, and when the worker is ended."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.facts.records import Pressure, ThermalState
from mpsdoctor.hotfolder.machine.policy import (
    MIN_FREE_BYTES,
    Readings,
    reason_to_end_worker,
    reason_to_pause,
    reason_to_stop,
)
from mpsdoctor.hotfolder.pause import Kind, Pause

_T = TypeVar("_T")
SLEPT = "the Mac has slept, which can make mps slower"
_PRESSURES = list(Pressure)
_THERMAL = list(ThermalState)

PAUSES: dict[Kind, Pause] = {
    pause.kind: pause
    for pause in (
        Pause(
            kind="disk",
            title="The disk with the hot folder is nearly full",
            hint="Free some space: the queue continues at 500 MB.",
        ),
        Pause(
            kind="memory",
            title="This Mac is short of memory",
            hint="Quit the programs that take the most (Activity Monitor, Memory).",
        ),
        Pause(
            kind="heat",
            title="This Mac is too hot",
            hint="Clear its vents, put it on a hard surface, quit other busy programs.",
        ),
        Pause(
            kind="battery",
            title="The battery is below 40 %",
            hint="Connect the power adapter.",
        ),
        Pause(
            kind="low-power",
            title="This Mac is on battery, in Low Power Mode",
            hint="Connect the power adapter, or turn the mode off (System Settings > Battery).",
        ),
    )
}

readings = st.builds(
    Readings,
    pressure=st.none() | st.sampled_from(_PRESSURES),
    thermal=st.none() | st.sampled_from(_THERMAL),
    on_battery=st.none() | st.booleans(),
    battery_percent=st.none() | st.integers(),
    low_power=st.none() | st.booleans(),
    free_bytes=st.none() | st.integers(),
)


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        (Readings(), None),
        (Readings(pressure=Pressure.NORMAL), None),
        (Readings(pressure=Pressure.CRITICAL), "memory"),
        (Readings(thermal=ThermalState.FAIR), None),
        (Readings(thermal=ThermalState.SERIOUS), "heat"),
        (Readings(thermal=ThermalState.CRITICAL), "heat"),
        (Readings(on_battery=True, battery_percent=40), None),
        (Readings(on_battery=True, battery_percent=39), "battery"),
        (Readings(on_battery=False, battery_percent=3), None),
        (Readings(on_battery=None, battery_percent=3), None),
        (Readings(on_battery=True, low_power=True), "low-power"),
        (Readings(on_battery=False, low_power=True), None),
        (Readings(free_bytes=MIN_FREE_BYTES), None),
        (Readings(free_bytes=MIN_FREE_BYTES - 1), "disk"),
    ],
)
@pytest.mark.parametrize("loaded", [True, False])
def test_what_makes_the_queue_wait(now: Readings, kind: Kind | None, loaded: bool) -> None:
    """Memory, heat, a low battery and a full disk do, each with its own text."""
    assert reason_to_pause(now, loaded=loaded) == (PAUSES[kind] if kind else None)


def test_of_several_reasons_the_first_is_told() -> None:
    """The disk comes first, then memory, heat, the battery and Low Power Mode."""
    now = Readings(
        pressure=Pressure.CRITICAL,
        thermal=ThermalState.CRITICAL,
        on_battery=True,
        battery_percent=1,
        low_power=True,
        free_bytes=0,
    )
    assert reason_to_stop(now) == PAUSES["memory"]
    reasons: list[tuple[Kind, dict[str, Any]]] = [
        ("disk", {"free_bytes": MIN_FREE_BYTES}),
        ("memory", {"pressure": Pressure.NORMAL}),
        ("heat", {"thermal": ThermalState.NOMINAL}),
        ("battery", {"battery_percent": 40}),
        ("low-power", {"low_power": False}),
    ]
    for kind, better in reasons:
        assert reason_to_pause(now, loaded=True) == PAUSES[kind]
        now = replace(now, **better)
    assert reason_to_pause(now, loaded=True) is None


def test_a_model_is_not_loaded_while_memory_is_getting_short() -> None:
    """A loaded model may continue: ending it at each warning would cost a load per picture."""
    short = Readings(pressure=Pressure.WARNING)
    assert reason_to_pause(short, loaded=True) is None
    assert reason_to_pause(short, loaded=False) == PAUSES["memory"]


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        (Readings(pressure=Pressure.WARNING, thermal=ThermalState.SERIOUS), None),
        (Readings(pressure=Pressure.CRITICAL), "memory"),
        (Readings(thermal=ThermalState.CRITICAL), "heat"),
        (Readings(on_battery=True, battery_percent=1, free_bytes=0, low_power=True), None),
    ],
)
def test_only_what_is_critical_ends_a_picture(now: Readings, kind: Kind | None) -> None:
    """Everything else waits until the picture is done."""
    assert reason_to_stop(now) == (PAUSES[kind] if kind else None)


@given(readings, st.booleans())
def test_no_readings_crash_the_policy(now: Readings, loaded: bool) -> None:
    """A reason to stop a picture is also a reason not to begin the next."""
    if reason_to_stop(now):
        assert reason_to_pause(now, loaded=loaded)


@given(readings, st.booleans(), st.sampled_from([field.name for field in fields(Readings)]))
def test_what_is_not_known_never_pauses(now: Readings, loaded: bool, name: str) -> None:
    """If the queue continues, it also continues with any one reading unknown."""
    if reason_to_pause(now, loaded=loaded) is None:
        assert reason_to_pause(replace(now, **{name: None}), loaded=loaded) is None
    assert reason_to_pause(Readings(), loaded=loaded) is None


@given(readings, st.booleans(), st.data())
def test_more_never_turns_go_into_pause(now: Readings, loaded: bool, data: st.DataObject) -> None:
    """Less pressure and heat, more charge and space, and AC power never cause a pause."""
    if reason_to_pause(now, loaded=loaded):
        return
    better = replace(
        now,
        pressure=data.draw(_no_more(now.pressure, _PRESSURES)),
        thermal=data.draw(_no_more(now.thermal, _THERMAL)),
        on_battery=now.on_battery and data.draw(st.booleans()),
        low_power=now.low_power and data.draw(st.booleans()),
        battery_percent=data.draw(_no_less(now.battery_percent)),
        free_bytes=data.draw(_no_less(now.free_bytes)),
    )
    assert reason_to_pause(better, loaded=loaded) is None
    assert reason_to_stop(better) is None


def _no_more(value: _T | None, order: Sequence[_T]) -> st.SearchStrategy[_T | None]:
    return st.none() if value is None else st.sampled_from(order[: order.index(value) + 1])


def _no_less(value: int | None) -> st.SearchStrategy[int | None]:
    return st.none() if value is None else st.integers(min_value=value)


@pytest.mark.parametrize(
    ("idle_s", "pictures", "slept_s", "pressure", "why"),
    [
        (0.0, 1, 0.0, None, None),
        (599.9, 499, 4.9, Pressure.NORMAL, None),
        (600.0, 0, 0.0, None, "there was nothing to do for 10 minutes"),
        (0.0, 500, 0.0, None, "it has made 500 pictures"),
        (0.0, 501, 0.0, None, "it has made 501 pictures"),
        (0.0, 0, 5.0, None, SLEPT),
        (600.0, 500, 5.0, Pressure.CRITICAL, SLEPT),
        (600.0, 500, 4.9, Pressure.CRITICAL, "memory is short"),
        (600.0, 500, 0.0, None, "there was nothing to do for 10 minutes"),
        (0.0, 0, 0.0, Pressure.WARNING, None),
        (0.1, 0, 0.0, Pressure.WARNING, "memory is short"),
        (0.0, 0, 0.0, Pressure.CRITICAL, "memory is short"),
    ],
)
def test_when_the_worker_is_ended(
    idle_s: float, pictures: int, slept_s: float, pressure: Pressure | None, why: str | None
) -> None:
    """When it is idle, after sleep or many pictures, and when other programs need memory."""
    reason = reason_to_end_worker(
        idle_s=idle_s, pictures=pictures, slept_s=slept_s, pressure=pressure
    )
    assert reason == why
