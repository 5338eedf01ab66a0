"""The saved facts of a machine."""

import hashlib
import importlib.metadata
import os
import platform
import sys
from pathlib import Path

import msgspec
import pytest

from mpsdoctor.facts import saved, sw_vers, sysctl
from mpsdoctor.facts.agent import Agent
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.probes import mac_answer
from mpsdoctor.facts.records import (
    Environment,
    Facts,
    Folder,
    HotFolder,
    HubCache,
    ModelFiles,
    ModelState,
    ProfileFile,
)
from mpsdoctor.facts.saved import SavedFacts
from mpsdoctor.version import __version__
from tests.support.machines import MACHINES

SW_VERS = "ProductName:\t\tmacOS\nProductVersion:\t\t26.2\nBuildVersion:\t\t25C56\n"


@pytest.fixture
def facts() -> Facts:
    """A recorded Mac, with what its user has in the environment."""
    path = MACHINES / "m2-max-macos-26.3.1-torch-2.10.0.json"
    mac = msgspec.json.decode(path.read_bytes(), type=Facts)
    folder = Folder(path="/Users/me/mpsdoctor", exists=True, usable=True)
    return msgspec.structs.replace(
        mac,
        environment=Environment(variables={"TOKEN": "secret"}),
        hot_folder=HotFolder(folder=folder),
        hub_cache=HubCache(folder=folder),
        model_files=ModelFiles(model="org/name", state=ModelState.ABSENT),
        profile=ProfileFile(path="/Users/me/profile.toml"),
        agent=Agent(installed=True),
    )


def test_what_describes_the_machine_comes_back(tmp_path: Path, facts: Facts) -> None:
    """Facts about the user's variables, files and profile are not saved."""
    path = tmp_path / "new" / "profile.facts.json"
    saved.save(path, facts, {"torch": "2.10.0"})

    machine = msgspec.structs.replace(
        facts,
        environment=None,
        hot_folder=None,
        hub_cache=None,
        model_files=None,
        profile=None,
        agent=None,
    )
    assert saved.read(path) == SavedFacts(conditions={"torch": "2.10.0"}, facts=machine)
    saved.save(path, machine, {})
    assert saved.read(path) == SavedFacts(conditions={}, facts=machine)


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

    values = "hw.model: Mac16,8\nhw.memsize: 8\nhw.physicalcpu: 9\n"

    def run(command: object, _seconds: float) -> CommandResult:
        asked.append(command)
        return CommandResult(0, SW_VERS if command == sw_vers.COMMAND else values)

    now = saved.conditions(run, "Darwin")
    canaries = mac_answer.PROBE.with_name("canaries.py").read_bytes()
    assert now == {
        "Mac": "Mac16,8 8 not known",
        "macOS": "25C56",
        "Python": f"{platform.python_version()} ({sys.prefix})",
        "torch": importlib.metadata.version("torch"),
        "Diffusers": importlib.metadata.version("diffusers"),
        "mpsdoctor": __version__,
        "canaries": hashlib.sha256(canaries).hexdigest()[:8],
    }
    assert [sw_vers.COMMAND, sysctl.COMMAND] == asked
    silent = saved.conditions(lambda _argv, _timeout: CommandResult(None), "Darwin")
    assert (silent["Mac"], silent["macOS"]) == ("not known not known not known", "not known")
    elsewhere = saved.conditions(run, "Linux")
    assert (elsewhere["Mac"], elsewhere["macOS"]) == ("not known not known not known", "Linux")
    assert 2 == len(asked)

    path = tmp_path / "profile.facts.json"
    saved.save(path, facts, now)
    kept = saved.read(path)
    assert kept
    assert [] == saved.changes(kept, now)
    for name in now:
        assert [f"{name} {now[name]} -> other"] == saved.changes(kept, now | {name: "other"})
    bare = SavedFacts(conditions={"gone": "1"}, facts=kept.facts)
    assert ["torch not known -> 2.13.0"] == saved.changes(bare, {"torch": "2.13.0"})


def test_a_library_that_is_not_installed_is_a_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installing it later changes the conditions."""
    monkeypatch.setattr(sys, "path", [])
    now = saved.conditions(lambda _argv, _timeout: CommandResult(None), "Linux")
    assert (now["torch"], now["Diffusers"]) == ("not installed", "not installed")
