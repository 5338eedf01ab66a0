"""Asking what an agent may do, with a one-shot agent."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from mpsdoctor.facts.agent import Context
from mpsdoctor.service import context, plist
from mpsdoctor.service.agent import PROBE
from tests.support.mac import Mac

SEEN = Context(program="/opt/python3.12", mps_available=True, folder={"read": "EPERM"})
VERBS = ["bootout", "enable", "bootstrap", "kickstart", "bootout"]


def probe(mac: Mac) -> list[str]:
    """The command of the probe that is loaded."""
    command: list[str] = mac.world["jobs"][PROBE]["content"]["ProgramArguments"]
    return command


def answers(mac: Mac, write: Callable[[Path], object]) -> Callable[[float], None]:
    """In the first pause the probe writes its answer."""

    def pause(_: float) -> None:
        write(Path(probe(mac)[3]))

    return pause


@pytest.mark.parametrize(("ask_gpu", "more"), [(True, ["gpu"]), (False, [])])
def test_the_probe_is_started_asked_and_removed(mac: Mac, ask_gpu: bool, more: list[str]) -> None:
    """It is not in LaunchAgents, so that no login starts it; nothing of it is left."""
    loaded: list[tuple[list[str], bool]] = []

    def write(output: Path) -> None:
        loaded.append((probe(mac), (output.parent / f"{PROBE}.plist").exists()))
        output.write_bytes(msgspec.json.encode(SEEN))

    seen = context.ask(
        mac.run, mac.agent, mac.plist(), mac.home, ask_gpu=ask_gpu, sleep=answers(mac, write)
    )

    assert SEEN == seen
    [(command, had_list)] = loaded
    module = ["/opt/env/bin/python", "-m", "mpsdoctor.service.probe"]
    assert ([*module, command[3], str(mac.home), *more], True) == (command, had_list)
    assert Path(command[3]).name == "context.json"
    assert not Path(command[3]).parent.exists()
    assert VERBS == mac.calls()
    assert {} == mac.world["jobs"]
    assert not mac.agent.plist.parent.exists()


def test_a_probe_that_an_interrupted_one_left_behind_is_replaced(mac: Mac) -> None:
    """Its answer is not taken for this one's."""
    for _ in range(2):
        naps: list[float] = []
        assert None is context.ask(
            mac.run, mac.agent, mac.plist(), mac.home, seconds=0.5, sleep=naps.append
        )
        assert [0.2] * 2 == naps
        mac.change(disabled=[PROBE])


@pytest.mark.parametrize(
    "write", [lambda output: output.write_text("{"), lambda output: output.mkdir()]
)
def test_an_answer_that_cannot_be_read_is_not_known(
    mac: Mac, write: Callable[[Path], object]
) -> None:
    """The probe is removed all the same."""
    assert None is context.ask(mac.run, mac.agent, mac.plist(), mac.home, sleep=answers(mac, write))
    assert VERBS == mac.calls()
    assert {} == mac.world["jobs"]


def test_a_probe_that_never_answers_is_removed_after_the_time_limit(mac: Mac) -> None:
    """90 seconds by default."""
    for seconds, count in ((2.0, 10), (0.0, 1)):
        naps: list[float] = []
        assert None is context.ask(
            mac.run, mac.agent, mac.plist(), mac.home, seconds=seconds, sleep=naps.append
        )
        assert [0.2] * count == naps
    assert VERBS * 2 == mac.calls()
    assert context.SECONDS == 90.0


def test_without_an_interpreter_there_is_nothing_to_ask(mac: Mac) -> None:
    """A damaged list names none, and launchd is left alone."""
    damaged = mac.plist().replace(b"ProgramArguments", b"Program")

    assert None is plist.interpreter(damaged)
    assert None is context.ask(mac.run, mac.agent, damaged, mac.home)
    assert [] == mac.calls()
