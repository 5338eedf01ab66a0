"""The machine's condition while there is work: read regularly, judged by `policy`."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

from mpsdoctor.hotfolder.machine import policy, sensors
from mpsdoctor.hotfolder.machine.policy import Readings
from mpsdoctor.hotfolder.machine.sleep import Awake, asleep_s, caffeinate
from mpsdoctor.hotfolder.pause import Pause


class Machine:
    """Reads every `look` seconds, except at rest, so that no picture waits for a reading.

    Keeps the Mac awake while there is something to render.
    """

    def __init__(self, root: Path, *, look: float) -> None:
        self._root = root
        self._look = look
        self._readings = Readings()
        self._read_at = float("-inf")
        self._has_new_readings = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._awake = Awake(caffeinate())
        self._asleep_before = 0.0

    def work(self) -> None:
        """Call this when there is something to render."""
        self._awake.hold()
        self._watch()

    def stand_by(self) -> None:
        """Call this when there is nothing to render now, but may be soon."""
        self._awake.release()
        self._watch()

    def rest(self) -> None:
        """Call this when there is nothing to render."""
        self._awake.release()
        self._read_at = float("-inf")
        if self._watching:
            self._watching.cancel()
            self._watching = None

    def worker_started(self) -> None:
        """Counts the Mac's sleep from now on, for a new worker."""
        self._asleep_before = asleep_s()

    async def reason_to_pause(self, *, loaded: bool) -> Pause | None:
        """Why no other picture may begin now."""
        if time.monotonic() - self._read_at > 2 * self._look:
            await self._read()
        return policy.reason_to_pause(self._readings, loaded=loaded)

    def may_continue(self, *, pictures: int) -> bool:
        """Whether a worker that has made this many `pictures` may begin another."""
        return (
            policy.reason_to_pause(self._readings, loaded=True) is None
            and self._reason_to_end_worker(0.0, pictures) is None
        )

    async def reason_to_stop(self) -> Pause:
        """Returns when a picture has to be stopped, and says why."""
        while not (reason := policy.reason_to_stop(self._readings)):
            self._has_new_readings.clear()
            await self._has_new_readings.wait()
        return reason

    async def reason_to_end_worker(self, *, idle_s: float, pictures: int) -> str | None:
        """Why the worker is ended now, between two pictures."""
        if idle_s:
            self._readings = replace(self._readings, pressure=await sensors.pressure())
        return self._reason_to_end_worker(idle_s, pictures)

    def _reason_to_end_worker(self, idle_s: float, pictures: int) -> str | None:
        return policy.reason_to_end_worker(
            idle_s=idle_s,
            pictures=pictures,
            slept_s=asleep_s() - self._asleep_before,
            pressure=self._readings.pressure,
        )

    def _watch(self) -> None:
        if not self._watching:
            self._watching = asyncio.create_task(self._keep_reading())

    async def _keep_reading(self) -> None:
        while True:
            await self._read()
            await asyncio.sleep(self._look)

    async def _read(self) -> None:
        self._readings = await sensors.take(self._root)
        self._read_at = time.monotonic()
        self._has_new_readings.set()
