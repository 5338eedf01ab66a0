"""Readings, by recorded answers of macOS's commands and by this machine."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from mpsdoctor.facts import pmset, sysctl
from mpsdoctor.facts.command import CommandResult, run
from mpsdoctor.facts.probes import mac_answer
from mpsdoctor.facts.records import Pressure, ThermalState
from mpsdoctor.hotfolder.machine import sensors
from mpsdoctor.hotfolder.machine.policy import Readings

PROBE = (sys.executable, "-I", "-S", str(mac_answer.PROBE), "thermal_state")
RECORDED = {
    sysctl.COMMAND: "hw.memsize: 17179869184\nkern.memorystatus_vm_pressure_level: 2\n",
    pmset.BATTERY: "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=4325507)\t72%; "
    "discharging; 3:12 remaining present: true\n",
    pmset.SETTINGS: "Currently in use:\n lowpowermode         1\n",
    PROBE: '{"thermal_state": "serious"}\n',
}


def mac(argv: Sequence[str], timeout: float) -> CommandResult:
    """A Mac that is asked nothing else, and hurried."""
    assert timeout <= 2
    return CommandResult(0, RECORDED[tuple(argv)])


def test_a_mac_tells_all(tmp_path: Path) -> None:
    """Pressure, heat, power and space, from four commands."""
    taken = asyncio.run(sensors.take(tmp_path, mac, "darwin"))
    assert taken.free_bytes
    assert taken.free_bytes > 0
    assert (
        Readings(
            pressure=Pressure.WARNING,
            thermal=ThermalState.SERIOUS,
            on_battery=True,
            battery_percent=72,
            low_power=True,
            free_bytes=taken.free_bytes,
        )
        == taken
    )
    assert Pressure.WARNING is asyncio.run(sensors.pressure(mac, "darwin"))


@pytest.mark.parametrize(
    "answer",
    [
        CommandResult(None, stderr="no such file"),
        CommandResult(None, timed_out=True),
        CommandResult(1, "\0\ufffd nonsense: \n: 7\n", "unknown oid"),
    ],
)
def test_commands_that_fail_leave_it_unknown(tmp_path: Path, answer: CommandResult) -> None:
    """Nothing raises, whatever is missing, hangs or gives nonsense."""
    taken = asyncio.run(sensors.take(tmp_path / "gone", lambda argv, timeout: answer, "darwin"))
    assert Readings() == taken


def test_elsewhere_only_the_disk_is_asked(tmp_path: Path) -> None:
    """No command is run on other systems."""

    def none(argv: Sequence[str], timeout: float) -> CommandResult:
        raise AssertionError(argv)

    taken = asyncio.run(sensors.take(tmp_path, none, "linux"))
    assert Readings(free_bytes=taken.free_bytes) == taken
    assert taken.free_bytes
    assert asyncio.run(sensors.pressure(none, "linux")) is None


def test_this_machine_answers(tmp_path: Path) -> None:
    """The real commands, where they exist, leave nothing unknown that counts."""
    taken = asyncio.run(sensors.take(tmp_path, run, sys.platform))
    assert taken.free_bytes
    if sys.platform == "darwin":
        assert taken.pressure is not None
        assert taken.thermal is not None
