"""The machine's condition while there is work: read now and then, decided by `conditions`."""

import asyncio
import time
from pathlib import Path

from mpsdoctor.hotfolder import conditions, readings
from mpsdoctor.hotfolder.awake import Awake, caffeinate
from mpsdoctor.hotfolder.conditions import Readings
from mpsdoctor.hotfolder.pause import Pause
from mpsdoctor.hotfolder.sleep import asleep_s


class Machine:
    """Reads at most every `look` seconds, and not at all while nobody asks.

    The Mac is kept awake from `work` to `rest`.
    """

    def __init__(self, root: Path, *, look: float) -> None:
        self._root = root
        self._look = look
        self._readings = Readings()
        self._read_at = float("-inf")
        self._awake = Awake(caffeinate())
        self._asleep_before = 0.0

    def work(self) -> None:
        """There is something to render."""
        self._awake.hold()

    def rest(self) -> None:
        """There is nothing to render now."""
        self._awake.release()

    def worker_started(self) -> None:
        """From now on sleep counts against this worker."""
        self._asleep_before = asleep_s()

    async def pause(self, *, loaded: bool) -> Pause | None:
        """Why no other picture is begun now."""
        if time.monotonic() - self._read_at >= self._look:
            await self._read()
        return conditions.pause(self._readings, loaded=loaded)

    def may_go_on(self) -> bool:
        """Whether the last readings were fit for another picture."""
        return conditions.pause(self._readings, loaded=True) is None

    async def stop_now(self) -> Pause:
        """Returns when a picture has to be given up, and says why."""
        while True:
            await asyncio.sleep(self._look)
            await self._read()
            if reason := conditions.stop_now(self._readings):
                return reason

    async def end_worker(self, *, idle_s: float, pictures: int) -> str | None:
        """Why the worker is ended now, between two pictures."""
        pressure = self._readings.pressure
        if idle_s:
            pressure = await readings.pressure()
        slept_s = asleep_s() - self._asleep_before
        return conditions.end_worker(
            idle_s=idle_s, pictures=pictures, slept_s=slept_s, pressure=pressure
        )

    async def _read(self) -> None:
        self._readings = await readings.take(self._root)
        self._read_at = time.monotonic()
