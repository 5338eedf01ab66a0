"""The saved facts of a machine."""

import os
import sys
from pathlib import Path

import msgspec
import pytest

from mpsdoctor.facts import saved, sw_vers, sysctl
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.records import Environment, Facts
from tests.support.machines import MACHINES

SW_VERS = "ProductName:\t\tmacOS\nProductVersion:\t\t26.2\nBuildVersion:\t\t25C56\n"


@pytest.fixture
def facts() -> Facts:
    """A recorded Mac, with what its user has in the environment."""
    path = MACHINES / "m2-max-macos-26.3.1-torch-2.10.0.json"
    mac = msgspec.json.decode(path.read_bytes(), type=Facts)
    return msgspec.structs.replace(mac, environment=Environment(variables={"TOKEN": "secret"}))


def test_what_describes_the_machine_comes_back(tmp_path: Path, facts: Facts) -> None:
    """Facts about the user's variables, files and profile are not saved."""
    path = tmp_path / "new" / "profile.facts.json"
    saved.save(path, facts, {"torch": "2.10.0"})

    kept = saved.read(path)
    assert kept
    assert ({"torch": "2.10.0"}, None) == (kept.conditions, kept.facts.environment)
    assert (facts.system, facts.hardware) == (kept.facts.system, kept.facts.hardware)
    assert b"secret" not in path.read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"conditions": {}, "facts": 3}', b"\xff"])
def test_a_file_that_is_not_understood_counts_as_none(
    tmp_path: Path, content: bytes | None
) -> None:
    """An unreadable file counts as missing; another version may have written it."""
    path = tmp_path / "profile.facts.json"
    if content is not None:
        path.write_bytes(content)
    assert saved.read(path) is None


def test_what_could_keep_the_reader_for_ever_counts_as_none(tmp_path: Path) -> None:
    """A pipe, an endless device and deeply nested JSON count as unreadable."""
    path = tmp_path / "profile.facts.json"
    path.write_text('{"conditions": {}, "facts": {"x": ' + "[" * 200_000)
    assert saved.read(path) is None
    path.unlink()
    os.mkfifo(path)
    assert saved.read(path) is None
    path.unlink()
    path.symlink_to("/dev/zero")
    assert saved.read(path) is None


def test_facts_hold_until_what_they_depend_on_changes(tmp_path: Path, facts: Facts) -> None:
    """Facts depend on the Mac, its limit, macOS, Python, the libraries and the canaries."""
    asked: list[object] = []

    def run(command: object, _seconds: float) -> CommandResult:
        asked.append(command)
        return CommandResult(exit_code=0, stdout=SW_VERS)

    now = saved.conditions(run, "Darwin")
    parts = {"Mac", "macOS", "Python", "torch", "Diffusers", "mpsdoctor", "canaries"}
    assert parts == set(now)
    assert ("25C56", True) == (now["macOS"], sys.prefix in now["Python"])
    assert [sw_vers.COMMAND, sysctl.COMMAND] == asked

    path = tmp_path / "profile.facts.json"
    saved.save(path, facts, now)
    kept = saved.read(path)
    assert kept
    assert [] == saved.changes(kept, now)
    for name in now:
        assert [f"{name} {now[name]} -> other"] == saved.changes(kept, now | {name: "other"})
