"""The daemon's loop: when it renders, rests, pauses and ends, without a worker process."""

import asyncio
import errno
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.records import Pressure, ThermalState
from mpsdoctor.hotfolder import daemon as daemon_module
from mpsdoctor.hotfolder.daemon import Daemon, Intervals, watch
from mpsdoctor.hotfolder.machine import policy, sensors
from mpsdoctor.hotfolder.machine.policy import Readings
from mpsdoctor.hotfolder.pause import Pause
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.lock import locked
from mpsdoctor.hotfolder.spool.recovery import recover
from mpsdoctor.hotfolder.spool.spool import Spool
from mpsdoctor.hotfolder.status import events
from mpsdoctor.hotfolder.status.events import Event
from mpsdoctor.hotfolder.status.status import read_status
from mpsdoctor.hotfolder.worker.supervisor import RefusedError
from mpsdoctor.profile.settings import Profile
from mpsdoctor.rendering.protocol import Refused
from tests.support.hot_folder import ignoring
from tests.support.jobs import claim, drop, names
from tests.support.stand_in_supervisor import PID, SECONDS, StandInSupervisor

QUICK: Final = Intervals(settle=0.001, settle_empty=0.05, rescan=0.02, retry=0.02, look=0.01)
SLOW: Final = replace(QUICK, rescan=60.0, retry=60.0)
LOADED: Final = (events.Loading("own"), events.Loaded("own", "cpu", PID))


class Running:
    """A daemon in this process, and what it tells."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.supervisor = StandInSupervisor()
        self.supervisor.step_s = 0.002
        self.events: list[Event] = []
        self.times: list[float] = []
        self.then: dict[tuple[type, int], Callable[[], object]] = {}
        """What happens at the event of a kind and number."""

    def hear(self, event: Event) -> None:
        self.events.append(event)
        self.times.append(time.monotonic())
        number = len([other for other in self.events if type(other) is type(event)])
        if then := self.then.get((type(event), number)):
            then()

    async def until(self, kind: type, count: int = 1) -> Any:
        """The event of this kind and number, once it has come."""
        while len(found := [event for event in self.events if isinstance(event, kind)]) < count:
            await asyncio.sleep(0.001)
        return found[count - 1]

    def told(self, *kinds: type) -> list[Any]:
        """The events (of these kinds, or all but steps), with the file's name as the job's id."""
        shown: list[Any] = [
            event
            for event in self.events
            if (isinstance(event, kinds) if kinds else not isinstance(event, events.Stepped))
        ]
        return [replace(e, job=e.name) if hasattr(e, "job") else e for e in shown]


class NoEvents:
    """In place of file events."""

    def __init__(self, *_: object) -> None: ...
    def check(self) -> None: ...
    def close(self) -> None: ...


Work = Callable[[Running], Awaitable[None]]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[Readings]:
    """The last of these is what the machine is like now."""
    now = [Readings()]

    async def take(_root: Path) -> Readings:
        return now[-1]

    async def pressure() -> Pressure | None:
        return now[-1].pressure

    monkeypatch.setattr(sensors, "take", take)
    monkeypatch.setattr(sensors, "pressure", pressure)
    return now


@pytest.fixture
def run(
    layout: Layout,
    unflushed: None,
    machine: list[Readings],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., Running]]:
    """Runs a daemon beside a coroutine function, then ends it with SIGTERM.

    The inbox is scanned every 20 ms, in place of file events, which take half a second to end.
    """

    def run(work: Work, intervals: Intervals = QUICK, *, with_events: bool = False) -> Running:
        if not with_events:
            monkeypatch.setattr(daemon_module, "InboxObserver", NoEvents)

        async def both() -> Running:
            running = Running(layout)
            with locked(layout) as hold:
                daemon = Daemon(
                    hold,
                    layout,
                    [Profile(model="own"), Profile(model="other")],
                    running.supervisor,
                    running.hear,
                    intervals,
                )
                serving = asyncio.create_task(daemon.run())
                working = asyncio.ensure_future(work(running))
                await asyncio.wait({serving, working}, return_when=asyncio.FIRST_COMPLETED)
                if not serving.done():
                    working.result()
                    os.kill(os.getpid(), signal.SIGTERM)
                working.cancel()
                await serving
            return running

        return asyncio.run(asyncio.wait_for(both(), 20))

    with ignoring(()):
        yield run


def published(layout: Layout, name: str) -> events.Published:
    """The only picture of a file is out."""
    return events.Published(f"{name}.txt", f"{name}.txt", layout.images / f"{name}.png", SECONDS)


def test_it_renders_what_is_there_and_what_comes(layout: Layout, run: Any) -> None:
    """A drop wakes it, however seldom the inbox is scanned; the status follows the events."""
    claim(Spool(layout), "earlier.txt")

    async def work(running: Running) -> None:
        await running.until(events.Published)
        await asyncio.sleep(0.05)
        drop(layout, "later.txt", "a dog")
        await running.until(events.Published, 2)
        status = read_status(layout.root)
        assert (status.running, status.done, status.heartbeat is not None) == (True, 2, True)
        assert status.worker
        assert status.worker.pid == PID

    running = run(work, SLOW, with_events=True)
    assert running.told() == [
        events.Started(layout.root, 1),
        *LOADED,
        events.Rendering("earlier.txt", "earlier.txt"),
        published(layout, "earlier"),
        events.Claimed("later.txt", "later.txt"),
        events.Rendering("later.txt", "later.txt"),
        published(layout, "later"),
        events.Stopped(),
    ]
    assert running.supervisor.calls[-1] == "close"
    assert read_status(layout.root).worker is None


def test_without_file_events_the_inbox_is_scanned(layout: Layout, run: Any) -> None:
    """Events are only a hint; a file is also looked at again when it may be complete."""

    async def work(running: Running) -> None:
        await running.until(events.Started)
        await asyncio.sleep(0.03)
        drop(layout, "cat.txt", "a cat")
        (layout.inbox / "empty.txt").touch()
        await running.until(events.Published)
        await running.until(events.Rejected)

    run(work)


GPU: Final = RefusedError(Refused(title="There is no GPU", hint="Restart.", cause="gpu"))
NO_GPU: Final = Pause(kind="gpu", title="There is no GPU", hint="Restart.")


def test_pauses_become_longer_until_a_picture_is_done(
    layout: Layout, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From ten seconds to two minutes; the same reason is told once in each pause."""
    sleep = asyncio.sleep
    pauses: list[float] = []

    async def quickly(seconds: float) -> None:
        if seconds > 2:
            pauses.append(seconds)
        await sleep(min(seconds, 0.001))

    monkeypatch.setattr(asyncio, "sleep", quickly)
    drop(layout, "1.txt", "a cat")

    async def work(running: Running) -> None:
        running.supervisor.refusals.extend([GPU] * 6)
        await running.until(events.Published)
        await running.supervisor.close()
        running.supervisor.refusals.append(GPU)
        drop(layout, "2.txt", "a dog")
        await running.until(events.Published, 2)

    running = run(work, replace(QUICK, retry=Intervals().retry))
    assert pauses == [10.0, 20.0, 40.0, 80.0, 120.0, 120.0, 10.0]
    assert running.told(events.Paused, events.Resumed, events.Published) == [
        events.Paused(NO_GPU),
        events.Resumed(),
        published(layout, "1"),
        events.Paused(NO_GPU),
        events.Resumed(),
        published(layout, "2"),
    ]


def test_another_reason_is_told_again(layout: Layout, run: Any) -> None:
    """A pause also ends when the prompt has gone."""
    drop(layout, "1.txt", "a cat\nSteps: 4, Model: other")
    other = RefusedError(Refused(title="It is broken", hint="Wait.", cause="gpu"))

    async def work(running: Running) -> None:
        running.supervisor.refusals.extend([GPU, other, other])
        running.supervisor.refusals.append(RefusedError(Refused(title="No model", cause="model")))
        await running.until(events.Resumed)

    running = run(work)
    assert running.told(events.Paused, events.Resumed, events.Rejected) == [
        events.Paused(NO_GPU),
        events.Paused(Pause(kind="gpu", title="It is broken", hint="Wait.")),
        events.Rejected("1.txt", "1.txt", "No model", layout.failed / "1.error.txt"),
        events.Resumed(),
    ]


def test_a_folder_that_is_gone_pauses_until_it_is_back(layout: Layout, run: Any) -> None:
    """Then the folders are read again; a reason of the folder is not one of the disk."""
    away = layout.root.with_name("away")

    async def work(running: Running) -> None:
        await running.until(events.Started)
        layout.root.rename(away)
        assert (await running.until(events.Paused)).pause.kind == "folder"
        claim(Spool(Layout(away)), "cat.txt")
        away.rename(layout.root)
        await running.until(events.Published)

    assert run(work).told() == [
        events.Started(layout.root, 0),
        events.Paused(
            Pause(
                kind="folder",
                title=f"The hot folder {layout.root} is gone",
                hint="If its disk was ejected, reconnect it. If it was renamed, give it its old "
                "name. The queue then continues by itself. To use a new folder, start mpsdoctor "
                "watch again.",
            )
        ),
        *LOADED,
        events.Rendering("cat.txt", "cat.txt"),
        events.Resumed(),
        published(layout, "cat"),
        events.Stopped(),
    ]


def test_an_error_of_the_disk_pauses_and_starts_from_the_folders_again(
    layout: Layout, run: Any
) -> None:
    """A folder that the user deletes is created again, and the attempt does not count."""
    drop(layout, "cat.txt", "a cat")

    async def work(running: Running) -> None:
        running.then[events.Stepped, 3] = layout.images.rmdir
        await running.until(events.Published)

    running = run(work)
    assert running.told(events.Rendering, events.Paused, events.Resumed, events.Published) == [
        events.Rendering("cat.txt", "cat.txt"),
        events.Paused(
            Pause(
                kind="folder",
                title=f"{layout.images} cannot be reached",
                hint="Reconnect its disk, or give the folder its old name. The queue then "
                "continues by itself.",
            )
        ),
        events.Rendering("cat.txt", "cat.txt"),
        events.Resumed(),
        published(layout, "cat"),
    ]
    assert running.supervisor.calls == ["load own", "submit a cat", "submit a cat", "close"]


def test_an_error_that_waiting_does_not_help_against_ends_it(layout: Layout, run: Any) -> None:
    """The worker is ended even so."""
    drop(layout, "cat.txt", "a cat")

    calls: list[str] = []

    def refuse() -> None:
        raise OSError(errno.EISDIR, "Is a directory")

    async def work(running: Running) -> None:
        running.supervisor.calls = calls
        running.then[events.Rendering, 1] = refuse
        await asyncio.sleep(5)

    with pytest.raises(IsADirectoryError):
        run(work)
    assert calls == ["load own", "close"]


LOW: Final = Readings(on_battery=True, battery_percent=20)
CRITICAL: Final = Readings(pressure=Pressure.CRITICAL)
SHORT: Final = Readings(pressure=Pressure.WARNING)


def test_nothing_begins_while_the_machine_is_not_fit(
    layout: Layout, run: Any, machine: list[Readings]
) -> None:
    """No model is loaded either; when it is fit again, the queue continues."""
    machine.append(LOW)
    drop(layout, "cat.txt", "a cat")

    async def work(running: Running) -> None:
        await running.until(events.Paused)
        assert running.supervisor.calls == []
        machine.append(Readings())
        await running.until(events.Published)

    assert run(work).told()[1:] == [
        events.Claimed("cat.txt", "cat.txt"),
        events.Paused(
            Pause(
                kind="battery",
                title="The battery is below 40 %",
                hint="Connect the power adapter.",
            )
        ),
        *LOADED,
        events.Rendering("cat.txt", "cat.txt"),
        events.Resumed(),
        published(layout, "cat"),
        events.Stopped(),
    ]


def test_a_warning_of_memory_stops_a_load_but_not_a_loaded_model(
    layout: Layout, run: Any, machine: list[Readings]
) -> None:
    """While it is idle, the worker is ended then."""
    drop(layout, "1.txt", "a cat")
    drop(layout, "2.txt", "a dog")

    async def work(running: Running) -> None:
        await running.until(events.Loaded)
        machine.append(SHORT)
        await running.until(events.Unloaded)
        drop(layout, "3.txt", "a bird")
        await running.until(events.Paused)

    running = run(work)
    assert running.told(events.Published, events.Unloaded) == [
        published(layout, "1"),
        published(layout, "2"),
        events.Unloaded("memory is short"),
    ]
    assert running.told(events.Paused)[0].pause.kind == "memory"


def test_critical_memory_stops_a_picture_and_ends_the_worker(
    layout: Layout, run: Any, machine: list[Readings]
) -> None:
    """The loss is noted, since the picture may be the cause."""
    drop(layout, "cat.txt", "stuck-once")

    async def work(running: Running) -> None:
        await running.until(events.Stepped)
        machine.append(CRITICAL)
        await running.until(events.Paused)
        assert running.supervisor.pid is None
        machine.append(Readings())
        await running.until(events.Published)

    assert run(work).told(events.Retrying, events.Rendering, events.Published) == [
        events.Rendering("cat.txt", "cat.txt"),
        events.Retrying(
            "cat.txt", "cat.txt", 1, "This Mac is short of memory, in the middle of this picture"
        ),
        events.Rendering("cat.txt", "cat.txt", attempt=2),
        published(layout, "cat"),
    ]


def test_critical_heat_stops_a_picture_and_counts_no_attempt(
    layout: Layout, run: Any, machine: list[Readings]
) -> None:
    """The worker is ended, and the picture waits for its next first attempt."""
    drop(layout, "cat.txt", "stuck")

    async def work(running: Running) -> None:
        await running.until(events.Stepped)
        machine.append(Readings(thermal=ThermalState.CRITICAL))
        assert (await running.until(events.Paused)).pause.kind == "heat"
        assert running.supervisor.pid is None
        assert [json.loads(path.read_bytes())["attempts"] for path in jobs()] == [{"1": 0}]

    def jobs() -> list[Path]:
        return list(layout.work.glob("*/job.json"))

    running = run(work)
    assert running.told(events.Unloaded, events.Retrying) == []


def test_a_pause_for_memory_or_a_long_one_ends_the_worker(
    layout: Layout, run: Any, machine: list[Readings]
) -> None:
    """A prompt that waits for power does not keep the model in a memory that is short."""
    drop(layout, "1.txt", "a cat")

    async def work(running: Running) -> None:
        await running.until(events.Published)
        machine.append(replace(LOW, pressure=Pressure.WARNING))
        drop(layout, "2.txt", "a dog")
        await running.until(events.Unloaded)
        await running.until(events.Paused)

    running = run(work)
    assert running.told(events.Unloaded) == [events.Unloaded("memory is short")]


def test_a_worker_is_replaced_after_so_many_pictures(
    layout: Layout, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No picture begins ahead that would be one too many."""
    monkeypatch.setattr(policy, "MAX_PICTURES", 2)
    for number in (1, 2, 3):
        drop(layout, f"{number}.txt", "a cat")

    async def work(running: Running) -> None:
        await running.until(events.Published, 3)

    kinds = (events.Rendering, events.Published, events.Unloaded, events.Loaded)
    assert run(work).told(*kinds) == [
        LOADED[1],
        events.Rendering("1.txt", "1.txt"),
        events.Rendering("2.txt", "2.txt"),
        published(layout, "1"),
        published(layout, "2"),
        events.Unloaded("it has made 2 pictures"),
        LOADED[1],
        events.Rendering("3.txt", "3.txt"),
        published(layout, "3"),
    ]


def test_an_idle_worker_is_ended_after_a_while(
    layout: Layout, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time counts from the last work on."""
    monkeypatch.setattr(policy, "IDLE_S", 0.15)
    drop(layout, "1.txt", "a cat")

    async def work(running: Running) -> None:
        await running.until(events.Published)
        await asyncio.sleep(0.08)
        drop(layout, "2.txt", "a dog")
        await running.until(events.Published, 2)
        await running.until(events.Unloaded)

    running = run(work)
    at = dict(zip(map(type, running.events), running.times, strict=True))
    assert at[events.Unloaded] - at[events.Published] >= 0.15
    assert len(running.told(events.Unloaded)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_in_the_middle_of_a_picture(
    layout: Layout, run: Any, number: signal.Signals
) -> None:
    """The worker is ended, and the attempt does not count, nor does a second signal matter."""
    drop(layout, "cat.txt", "stuck")

    async def work(running: Running) -> None:
        await running.until(events.Stepped)
        for _ in range(2):
            os.kill(os.getpid(), number)
        await asyncio.sleep(5)

    running = run(work)
    assert running.told()[-1] == events.Stopped()
    assert running.supervisor.calls[-1] == "close"
    (job,) = recover(Spool(layout))
    assert job.attempts == {1: 0}


def test_told_to_finish_it_renders_what_is_in_hand(layout: Layout, run: Any) -> None:
    """No other picture begins, not even ahead."""
    for number, prompt in enumerate(["slow-save", "a dog", "a bird"], 1):
        drop(layout, f"{number}.txt", prompt)

    async def work(running: Running) -> None:
        running.then[events.Rendering, 2] = lambda: os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.sleep(5)

    running = run(work)
    assert running.told(events.Stopping, events.Published, events.Stopped) == [
        events.Stopping(),
        published(layout, "1"),
        published(layout, "2"),
        events.Stopped(),
    ]
    assert names(layout.done) == ["1.txt", "2.txt"]


@pytest.mark.parametrize("when", ["idle", "pausing", "loading"])
def test_told_to_finish_with_nothing_in_hand_it_ends_at_once(
    layout: Layout, run: Any, when: str
) -> None:
    """However long the pause is, or a model takes to load."""
    if when != "idle":
        drop(layout, "cat.txt", "a cat")

    async def work(running: Running) -> None:
        running.supervisor.hangs_at_load = when == "loading"
        if when == "pausing":
            running.supervisor.refusals.append(GPU)
        wait_for = {"idle": events.Started, "pausing": events.Paused, "loading": events.Loading}
        await running.until(wait_for[when])
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.sleep(5)

    running = run(work, SLOW)
    assert running.told()[-2:] == [events.Stopping(), events.Stopped()]


def test_told_to_finish_it_does_not_wait_out_a_pause(layout: Layout, run: Any) -> None:
    """A picture in hand that cannot be finished is left for the next daemon."""
    drop(layout, "cat.txt", "no-gpu")

    async def work(running: Running) -> None:
        await running.until(events.Rendering)
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.sleep(5)

    running = run(work, SLOW)
    assert running.told()[-1] == events.Stopped()
    assert names(layout.failed) == []
    assert recover(Spool(layout))[0].attempts == {1: 0}


def test_a_cancellation_without_a_signal_is_not_an_end_as_asked(layout: Layout) -> None:
    """The worker is ended, but nothing says that the daemon was stopped."""
    running = Running(layout)

    async def cancelled() -> None:
        with locked(layout) as hold:
            daemon = Daemon(
                hold, layout, [Profile(model="own")], running.supervisor, running.hear, QUICK
            )
            task = asyncio.create_task(daemon.run())
            await running.until(events.Started)
            task.cancel()
            await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert running.told() == [events.Started(layout.root, 0)]
    assert running.supervisor.calls == ["close"]


def test_the_heartbeat_shows_the_worker_and_its_memory(
    layout: Layout, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written every two seconds, whatever the daemon does."""
    assert daemon_module._HEARTBEAT_S == 2.0
    monkeypatch.setattr(daemon_module, "_HEARTBEAT_S", 0.01)
    monkeypatch.setattr("mpsdoctor.hotfolder.status.progress._BETWEEN_HEARTBEATS_S", 0.005)
    monkeypatch.setattr(StandInSupervisor, "memory_bytes", 4)
    drop(layout, "cat.txt", "stuck")

    async def work(running: Running) -> None:
        await running.until(events.Stepped)
        first = read_status(layout.root).heartbeat
        while (status := read_status(layout.root)).heartbeat == first:
            await asyncio.sleep(0.005)
        assert status.worker
        assert (status.worker.pid, status.worker.memory_bytes) == (PID, 4)

    run(work)


def test_an_error_that_ends_it_is_explained(layout: Layout) -> None:
    """`watch` says what to look at before it is started again."""

    def refuse(_event: Event) -> None:
        raise OSError(errno.EISDIR, "Is a directory", "/hot/x")

    with pytest.raises(MpsDoctorError) as raised:
        watch(layout.root, [Profile(model="own")], environ={}, on_event=refuse)
    assert str(raised.value) == (
        f"The hot folder {layout.root} can no longer be used\n"
        "[Errno 21] Is a directory: '/hot/x'\n"
        "Check that its disk is connected and has space, then start mpsdoctor watch."
    )
    assert not read_status(layout.root).running


def test_a_folder_that_cannot_be_used_is_refused_at_the_start(tmp_path: Path) -> None:
    """Nothing is told then."""
    told: list[Event] = []
    layout = Layout(tmp_path)
    layout.create()
    layout.inbox.rmdir()
    layout.inbox.touch()
    with pytest.raises(MpsDoctorError, match="cannot be created"):
        watch(tmp_path, [Profile(model="own")], environ={}, on_event=told.append)
    layout.inbox.unlink()
    layout.create()
    with locked(layout), pytest.raises(MpsDoctorError, match="already watches"):
        watch(tmp_path, [Profile(model="own")], environ={}, on_event=told.append)
    assert told == []
