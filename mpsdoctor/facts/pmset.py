"""The source of power and the power mode, from `pmset`.

`pmset -g therm` is not used: on Apple silicon it never has an answer (exelban/stats #749).
"""

import re

from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.records import Power

BATTERY = ("/usr/bin/pmset", "-g", "batt")
SETTINGS = ("/usr/bin/pmset", "-g")
_SECONDS = 10.0

_SOURCE = re.compile(r"^Now drawing from '(AC|Battery) Power'", re.MULTILINE)
_CHARGE = re.compile(r"^ -InternalBattery\S* .*?\b(\d{1,3})%", re.MULTILINE)
# One setting, whose name depends on the Mac: 0 automatic, 1 low power, 2 high power (alfredapp/
# low-power-mode-workflow #4).
_MODE = re.compile(r"^\s*(?:low)?powermode\s+(\d)\b", re.MULTILINE)
_LOW = "1"


def read(run: Runner) -> Power:
    """Source, charge and mode; the thermal state comes from elsewhere."""
    battery = run(BATTERY, _SECONDS).stdout
    source, charge = _SOURCE.search(battery), _CHARGE.search(battery)
    mode = _MODE.search(run(SETTINGS, _SECONDS).stdout)
    return Power(
        on_battery=source.group(1) == "Battery" if source else None,
        battery_percent=int(charge.group(1)) if charge else None,
        low_power_mode=mode.group(1) == _LOW if mode else None,
    )
