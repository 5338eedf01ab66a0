"""The machine's condition, read in the background while there is work."""

import asyncio
from pathlib import Path

import pytest

from mpsdoctor.facts.records import Pressure, ThermalState
from mpsdoctor.hotfolder.machine import monitor, sensors
from mpsdoctor.hotfolder.machine.monitor import Machine
from mpsdoctor.hotfolder.machine.policy import MAX_PICTURES, Readings

LOOK_S = 0.01


class Mac:
    """The readings of a Mac; `looks` counts how often they are taken."""

    def __init__(self) -> None:
        self.now = Readings()
        self.looks = 0

    async def take(self, _root: Path) -> Readings:
        self.looks += 1
        return self.now

    async def pressure(self) -> Pressure | None:
        return self.now.pressure


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> Mac:
    mac = Mac()
    monkeypatch.setattr(sensors, "take", mac.take)
    monkeypatch.setattr(sensors, "pressure", mac.pressure)
    return mac


def test_it_is_read_while_there_is_work_and_not_at_rest(mac: Mac, tmp_path: Path) -> None:
    """Readings continue on standby and at work; at rest nothing is read."""

    async def go() -> None:
        machine = Machine(tmp_path, look=LOOK_S)
        for begin in (machine.stand_by, machine.work):
            seen = mac.looks
            begin()
            begin()
            while mac.looks < seen + 3:
                await asyncio.sleep(LOOK_S)
            machine.rest()
            await asyncio.sleep(0)
            before = mac.looks
            await asyncio.sleep(10 * LOOK_S)
            assert mac.looks == before

    asyncio.run(asyncio.wait_for(go(), 10))


def test_only_sleep_since_the_worker_started_counts(
    mac: Mac, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine may have slept for hours before."""
    slept = [7200.0]
    monkeypatch.setattr(monitor, "asleep_s", lambda: slept[0])

    async def go() -> None:
        machine = Machine(tmp_path, look=LOOK_S)
        machine.worker_started()
        assert await machine.reason_to_end_worker(idle_s=0.0, pictures=1) is None
        slept[0] += 5.0
        assert (
            await machine.reason_to_end_worker(idle_s=0.0, pictures=1)
            == "the Mac has slept, which can make mps slower"
        )
        assert mac.looks == 0

    asyncio.run(go())


def test_in_a_long_batch_heat_is_noticed_between_two_pictures(mac: Mac, tmp_path: Path) -> None:
    """Another picture may begin ahead only if the last readings allow it."""

    async def go() -> None:
        machine = Machine(tmp_path, look=LOOK_S)
        machine.worker_started()
        machine.work()
        assert machine.may_continue(pictures=0)
        assert not machine.may_continue(pictures=MAX_PICTURES)
        mac.now = Readings(pressure=Pressure.WARNING)
        seen = mac.looks
        while mac.looks < seen + 2:
            await asyncio.sleep(LOOK_S)
        assert machine.may_continue(pictures=0)
        mac.now = Readings(thermal=ThermalState.SERIOUS)
        while machine.may_continue(pictures=0):
            await asyncio.sleep(LOOK_S)
        reason = await machine.reason_to_pause(loaded=True)
        assert reason
        assert reason.kind == "heat"
        machine.rest()

    asyncio.run(asyncio.wait_for(go(), 10))


def test_a_picture_is_stopped_as_soon_as_it_must_be(mac: Mac, tmp_path: Path) -> None:
    """Only the next reading counts, however short each picture is."""

    async def go() -> None:
        machine = Machine(tmp_path, look=LOOK_S)
        machine.work()
        mac.now = Readings(pressure=Pressure.CRITICAL)
        assert (await machine.reason_to_stop()).kind == "memory"
        assert (await machine.reason_to_stop()).kind == "memory"
        machine.rest()

    asyncio.run(asyncio.wait_for(go(), 10))


def test_after_a_rest_it_reads_again_before_it_continues(mac: Mac, tmp_path: Path) -> None:
    """An old reading neither pauses the queue nor lets it continue."""

    async def go() -> None:
        machine = Machine(tmp_path, look=LOOK_S)
        mac.now = Readings(on_battery=True, battery_percent=10)
        assert await machine.reason_to_pause(loaded=False)
        machine.rest()
        mac.now = Readings(on_battery=False)
        assert await machine.reason_to_pause(loaded=False) is None

    asyncio.run(asyncio.wait_for(go(), 10))


def test_an_idle_worker_is_ended_when_memory_gets_short(mac: Mac, tmp_path: Path) -> None:
    """While idle, only the pressure is read."""

    async def go() -> None:
        machine = Machine(tmp_path, look=LOOK_S)
        machine.worker_started()
        assert await machine.reason_to_end_worker(idle_s=1.0, pictures=1) is None
        mac.now = Readings(pressure=Pressure.WARNING)
        assert await machine.reason_to_end_worker(idle_s=1.0, pictures=1)
        assert mac.looks == 0

    asyncio.run(asyncio.wait_for(go(), 10))
