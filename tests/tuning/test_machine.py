"""Which facts settings are tuned from."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import msgspec
import pytest

from mpsdoctor.facts import saved
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.records import Facts
from mpsdoctor.tuning import machine
from mpsdoctor.tuning.host import Host
from tests.support.machines import MACHINES

FACTS = msgspec.json.decode(
    (MACHINES / "m2-max-macos-26.3.1-torch-2.10.0.json").read_bytes(), type=Facts
)
EXAMINED = msgspec.json.decode((MACHINES / "linux-bare.json").read_bytes(), type=Facts)


@pytest.fixture
def told() -> list[str]:
    """What the user was told."""
    return []


@pytest.fixture
def host(tmp_path: Path, told: list[str]) -> Host:
    """Tells the test."""

    def run(*_: object) -> CommandResult:
        return CommandResult(exit_code=0)

    return Host({}, tmp_path, tmp_path, run, told.append, lambda _: nullcontext())


@pytest.fixture
def examine(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[object]]:
    """What the machine was asked for."""
    asked: list[object] = []

    def collect(**how: object) -> Facts:
        asked.append(how["canaries_on"])
        return EXAMINED

    monkeypatch.setattr(machine, "collect", collect)
    return lambda: asked


def test_the_facts_of_the_last_check_are_taken_while_they_hold(
    tmp_path: Path, host: Host, told: list[str], examine: Callable[[], list[object]]
) -> None:
    """Neither torch nor the canaries are asked again."""
    machine.keep_facts(tmp_path / "profile.toml", FACTS, host)

    found = machine.machine_facts(tmp_path / "profile.toml", host)
    assert (FACTS.hardware, [], []) == (found.hardware, examine(), told)


@pytest.mark.parametrize("checked", [False, True])
def test_otherwise_the_machine_is_examined_without_the_canaries_and_that_is_said(
    tmp_path: Path,
    host: Host,
    told: list[str],
    examine: Callable[[], list[object]],
    checked: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What has changed is named, and the command that runs them."""
    if checked:
        machine.keep_facts(tmp_path / "profile.toml", FACTS, host)
        now = saved.conditions(host.run, "Linux") | {"torch": "2.99"}
        monkeypatch.setattr(saved, "conditions", lambda *_: now)

    assert EXAMINED == machine.machine_facts(tmp_path / "profile.toml", host)
    assert [None] == examine()
    [line] = told
    assert "without the canaries: run `mpsdoctor check`" in line
    assert ("-> 2.99" if checked else "No check has examined this machine.") in line


def test_facts_that_cannot_be_kept_cost_a_line(tmp_path: Path, host: Host, told: list[str]) -> None:
    """The check goes through all the same."""
    (tmp_path / "file").write_text("not a folder")
    machine.keep_facts(tmp_path / "file" / "profile.toml", FACTS, host)
    assert ["The facts of this machine cannot be saved"] == [told[0].partition(":")[0]]
