"""MPS107 to MPS109: what slows a Mac down at this moment."""

from mpsdoctor.checks.report import Finding, NoAnswerError, Remedy, Severity, Status
from mpsdoctor.facts.records import Facts, ThermalState


def low_power_mode(facts: Facts) -> Finding | None:
    """Low Power Mode holds the GPU back.

    An M1 Max trained at 61 % of its speed (tlkh/tf-metal-experiments #4).
    """
    if facts.power.low_power_mode is None:
        raise NoAnswerError("the state of Low Power Mode is not known", Status.NOT_RECORDED)
    if not facts.power.low_power_mode:
        return None
    return Finding(
        severity=Severity.WARNING,
        observed="Low Power Mode is on.",
        expected="Automatic or High Power",
        impact="Every picture takes up to twice as long.",
        remedy=Remedy(
            text="Turn it off in System Settings > Battery (Energy on a desktop Mac), or type this "
            "line and your password:",
            commands=("sudo pmset -a lowpowermode 0",),
        ),
    )


def battery(facts: Facts) -> Finding | None:
    """Rendering drains a battery fast, and a Mac that falls asleep renders nothing."""
    if facts.power.on_battery is None:
        raise NoAnswerError("the power source is not known", Status.NOT_RECORDED)
    if not facts.power.on_battery:
        return None
    percent = facts.power.battery_percent
    charge = f" ({percent} % left)" if percent is not None else ""
    return Finding(
        severity=Severity.NOTE,
        observed=f"This Mac runs on its battery{charge}.",
        expected="the power adapter, for anything longer than a few pictures",
        impact="The GPU drains the battery within hours or less, and macOS may slow it down. When "
        "the battery is empty, the Mac stops in the middle of a picture.",
        remedy=Remedy(text="Connect the power adapter."),
    )


def thermal_state(facts: Facts) -> Finding | None:
    """From `serious` on, macOS slows the chip down until it has cooled.

    Heat alone made the same work take 1 to 2.6 times as long on an M1 Max (JustVugg/colibri #1030).
    """
    state = facts.power.thermal_state
    if state is None:
        raise NoAnswerError("the thermal state is not known", Status.NOT_RECORDED)
    if state not in (ThermalState.SERIOUS, ThermalState.CRITICAL):
        return None
    return Finding(
        severity=Severity.WARNING,
        observed=f"This Mac is hot: macOS calls its thermal state {state.value}.",
        expected="a thermal state of nominal or fair",
        impact="macOS slows the chip down to cool it, and a picture can take several times as "
        "long.",
        remedy=Remedy(
            text="Let it cool down: quit what else keeps it busy (Activity Monitor, CPU), free its "
            "vents, put it on a hard surface. Then check again. A MacBook Air has no fan, and gets "
            "this hot with every long series of pictures."
        ),
    )
