"""Power, with recorded output of `pmset`."""

from collections.abc import Sequence

import pytest

from mpsdoctor.facts import pmset
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.records import Power

# AppHouseKitchen/AlDente-Battery_Care_and_Monitoring #603
SETTINGS = """System-wide power settings:
 SleepDisabled\t\t1
Currently in use:
 standby              1
 Sleep On Power Button 1
 hibernatefile        /var/vm/sleepimage
 powernap             1
 networkoversleep     0
 disksleep            10
 sleep                1 (sleep prevented by bluetoothd, powerd, sharingd)
 hibernatemode        3
 ttyskeepawake        1
 displaysleep         10 (display sleep prevented by com.apphousekitchen.aldente-pro)
 tcpkeepalive         1
 lowpowermode         0
 womp                 1
"""
AC = "Now drawing from 'AC Power'\n"
BATTERY = "Now drawing from 'Battery Power'\n"


def power(battery: str, settings: str = "") -> Power:
    """What is read from the output of the two commands."""

    def run(argv: Sequence[str], timeout: float) -> CommandResult:
        assert timeout == 10.0
        answers = {("/usr/bin/pmset", "-g", "batt"): battery, ("/usr/bin/pmset", "-g"): settings}
        return CommandResult(0, answers[tuple(argv)])

    return pmset.read(run)


@pytest.mark.parametrize(
    ("output", "on_battery", "percent"),
    [
        (f"{AC} -InternalBattery-0 (id=4325507)\t100%; charged; 0:00 remaining present: true\n",
         False, 100),
        (f"{AC} -InternalBattery-0 (id=3997795)\t79%; AC attached; not charging present: true\n",
         False, 79),
        (f"{AC} -InternalBattery-0 (id=3997795)\t78%; charging; (no estimate) present: true\n",
         False, 78),
        (f"{BATTERY} -InternalBattery-0 (id=4325507)\t72%; discharging; 3:12 remaining present: "
         "true\n", True, 72),
        (f"{BATTERY} -InternalBattery-0 (id=7798883)\t100%; discharging; (no estimate) present: "
         "true\n", True, 100),
        (f"{AC} -InternalBattery-0 (id=1)\t5%; charging\n -InternalBattery-1\t7%; x\n", False, 5),
        (f"x {AC}", None, None),
        (AC, False, None),
        ("Now drawing from 'UPS Power'\n", None, None),
        ("", None, None),
    ],
)  # fmt: skip
def test_the_source_of_power_is_read(
    output: str, on_battery: bool | None, percent: int | None
) -> None:
    """Notebooks report source and charge, desktops only the source."""
    assert Power(on_battery=on_battery, battery_percent=percent) == power(output)


@pytest.mark.parametrize(
    ("settings", "low"),
    [
        (SETTINGS, False),
        (SETTINGS.replace("lowpowermode         0", "lowpowermode         1"), True),
        (SETTINGS.replace("lowpowermode         0", "powermode            1"), True),
        (SETTINGS.replace("lowpowermode         0", "powermode            2"), False),
        (SETTINGS.replace(" lowpowermode         0\n", ""), None),
        ("", None),
    ],
)
def test_low_power_mode_is_read(settings: str, low: bool | None) -> None:
    """Both names of the setting count, 2 is high power, and a missing setting is unknown."""
    assert power(AC, settings).low_power_mode is low
