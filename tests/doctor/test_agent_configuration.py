"""The agent's property list for this terminal, and the hot folder of an installed agent."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from mpsdoctor.doctor.agent_configuration import agents_hot_folder, agents_plist
from mpsdoctor.service import plist
from mpsdoctor.service.agent import Agent
from mpsdoctor.version import __version__

PROFILE = b'hot_folder = "~/pictures"\nenvironment.MTL_X = "1"\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with a profile, of a terminal that sets nothing else."""
    for name in os.environ:
        if name.startswith(("MPSDOCTOR_", "HF_", "HUGGINGFACE_", "TRANSFORMERS_", "XDG_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "profile.toml").write_bytes(PROFILE)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("MPSDOCTOR_PROFILE_FILE", str(tmp_path / "profile.toml"))
    monkeypatch.chdir(tmp_path)
    return home


def installed(options: tuple[str, ...] = (), variables: Mapping[str, str] | None = None) -> bytes:
    """The property list of an installed agent."""
    agent = Agent(Path("/Users/jo"), 501)
    return plist.render(agent, "/env/bin/python", options, variables or {}, "0.1", b"")


@pytest.mark.parametrize(
    ("options", "hot_folder", "profile", "metal"),
    [
        ((), "home/pictures", PROFILE, {"MTL_X": "1"}),
        (("--dir", "here"), "here", PROFILE, {"MTL_X": "1"}),
        (("--profile", "other.toml"), "home/other", b'hot_folder = "~/other"\n', {}),
        (("--profile", "missing.toml"), "home/mpsdoctor", b"", {}),
        (("--profile", "home"), "home/mpsdoctor", b"", {}),
    ],
)
def test_the_list_has_what_this_terminal_and_the_profile_say(
    home: Path, options: tuple[str, ...], hot_folder: str, profile: bytes, metal: dict[str, str]
) -> None:
    """The list has this Python, the options, the variables, and absolute folders."""
    (home.parent / "other.toml").write_bytes(b'hot_folder = "~/other"\n')
    agent = Agent(home, 501)

    assert agents_plist(agent, options) == plist.render(
        agent,
        sys.executable,
        options,
        {
            "HF_HUB_OFFLINE": "1",
            "MPSDOCTOR_HOT_FOLDER": str(home.parent / hot_folder),
            "MPSDOCTOR_PROFILE_FILE": str(home.parent / "profile.toml"),
            **metal,
        },
        __version__,
        profile,
    )


def test_a_path_of_this_terminal_is_absolute_in_the_list(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """launchd knows neither the terminal's folder nor its `~`."""
    monkeypatch.setenv("MPSDOCTOR_PROFILE_FILE", "profile.toml")
    monkeypatch.setenv("MPSDOCTOR_HOT_FOLDER", "~/named")
    monkeypatch.setenv("HF_HOME", "/hf")

    assert {
        "HF_HOME": "/hf",
        "HF_HUB_OFFLINE": "1",
        "MPSDOCTOR_HOT_FOLDER": str(home / "named"),
        "MPSDOCTOR_PROFILE_FILE": str(home.parent / "profile.toml"),
        "MTL_X": "1",
    } == plist.variables(agents_plist(Agent(home, 501), ()))


def test_without_a_profile_variable_the_list_names_none(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty variable counts as one that is not set."""
    monkeypatch.setenv("MPSDOCTOR_PROFILE_FILE", "")

    assert {
        "HF_HUB_OFFLINE": "1",
        "MPSDOCTOR_HOT_FOLDER": str(home / "mpsdoctor"),
        "MPSDOCTOR_PROFILE_FILE": "",
    } == plist.variables(agents_plist(Agent(home, 501), ()))


@pytest.mark.parametrize(
    ("options", "variables", "hot_folder"),
    [
        (("--dir", "~/a"), {"MPSDOCTOR_HOT_FOLDER": "/b"}, "home/a"),
        ((), {"MPSDOCTOR_HOT_FOLDER": "~/b"}, "home/b"),
        (("--profile", "other.toml"), {}, "home/other"),
        (
            ("--profile", "other.toml"),
            {"MPSDOCTOR_PROFILE_FILE": "profile.toml"},
            "home/other",
        ),
        ((), {"MPSDOCTOR_PROFILE_FILE": "other.toml"}, "home/other"),
        ((), {}, "home/mpsdoctor"),
    ],
)
def test_an_installed_agent_has_its_own_hot_folder(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    variables: dict[str, str],
    hot_folder: str,
) -> None:
    """Its option comes before its variable, and that before its profile; the terminal's not."""
    (home.parent / "other.toml").write_bytes(b'hot_folder = "~/other"\n')
    monkeypatch.setenv("MPSDOCTOR_HOT_FOLDER", "/of/this/terminal")

    assert home.parent / hot_folder == agents_hot_folder(installed(options, variables))


def test_without_an_agent_the_hot_folder_is_the_terminals(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon that is started here uses the profile, or the terminal's variable."""
    assert home / "pictures" == agents_hot_folder(None)

    monkeypatch.setenv("MPSDOCTOR_HOT_FOLDER", "here")
    assert home.parent / "here" == agents_hot_folder(None)
