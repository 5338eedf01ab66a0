"""What an examination looks at."""

import getpass
import inspect
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import msgspec
import pytest

from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.constants import ExitCode
from mpsdoctor.doctor.examine import choose_checks, examine_machine, owner, read_facts
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts import command
from mpsdoctor.facts.records import Facts, Python, System
from mpsdoctor.facts.redact import Owner
from mpsdoctor.profile.quick_settings import QuickSettings
from tests.support.mac import Mac

FLUX = "black-forest-labs/FLUX.1-schnell"


@pytest.mark.parametrize(
    ("settings", "model", "dtype"),
    [
        (QuickSettings(model=FLUX, dtype="float16"), None, "float16"),
        (QuickSettings(model=FLUX, dtype="float16"), FLUX, "float16"),
        (QuickSettings(), FLUX, None),
    ],
)
def test_a_profiles_number_format_is_held_against_its_own_model_only(
    settings: QuickSettings, model: str | None, dtype: str | None
) -> None:
    """The profile's number format counts only for its own model."""
    files = examine_machine(settings, model=model, quick=True).facts.model_files

    assert files is not None
    assert (FLUX, dtype) == (files.model, files.dtype)


def test_the_agent_is_looked_at_beside_this_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quick check compares the agent's Python and variables with this terminal's."""
    mac = Mac(tmp_path)
    mac.load(mac.plist())
    monkeypatch.setattr(command, "run", mac.run)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(os, "getuid", lambda: 501)
    monkeypatch.setenv("HOME", str(mac.home))
    monkeypatch.setenv("HF_HOME", "/Volumes/models")

    agent = examine_machine(QuickSettings(), quick=True).facts.agent

    assert agent is not None
    assert (True, False) == (agent.loaded, agent.interpreter_exists)
    assert {"ProgramArguments", "EnvironmentVariables.HF_HOME"} <= set(agent.changes or ())
    assert None is agent.context


def test_a_quick_examination_says_what_it_does_and_leaves_out_the_rest(tmp_path: Path) -> None:
    """A quick one asks neither torch nor the profile, and an ignored check is left out."""
    done: list[str] = []

    @contextmanager
    def busy(what: str) -> Iterator[None]:
        done.append(what)
        yield
        done.append("ended")

    profile = tmp_path / "profile.toml"
    profile.write_text("dtpye = 1")
    settings = QuickSettings(model="a/b", dtype="float32", hot_folder=str(tmp_path))
    report = examine_machine(
        settings, quick=True, ignore=["MPS501", "MPS304"], profile=profile, busy=busy
    )

    assert ["Examining this machine …", "ended"] == done
    assert [check.id for check in CHECKS if not check.asks_torch and check.id != "MPS501"] == [
        result.id for result in report.results
    ]
    facts = report.facts
    assert (None, None, None, None) == (
        facts.torch,
        facts.canaries,
        facts.picture,
        facts.profile,
    )
    assert facts.environment is not None
    assert facts.hot_folder is not None
    assert str(tmp_path.resolve()) == facts.hot_folder.folder.path
    assert facts.model_files is not None
    assert ("a/b", "float32") == (facts.model_files.model, facts.model_files.dtype)


def test_by_default_an_examination_is_a_whole_one() -> None:
    """Without a choice, torch is asked, nothing is ignored, and no picture is rendered."""
    parameters = inspect.signature(examine_machine).parameters

    assert {
        "settings": inspect.Parameter.empty,
        "model": None,
        "python": None,
        "quick": False,
        "device": None,
        "render": False,
        "ignore": (),
        "profile": None,
        "busy": nullcontext,
    } == {name: parameter.default for name, parameter in parameters.items()}


def test_another_python_is_examined_without_agent_and_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another environment has neither an agent nor a profile of its own."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    mac = Mac(tmp_path)
    mac.load(mac.plist())
    monkeypatch.setattr(command, "run", mac.run)
    monkeypatch.setenv("HOME", str(mac.home))

    facts = examine_machine(QuickSettings(), python=sys.executable, quick=True).facts

    assert (sys.executable, None, None) == (facts.python.executable, facts.agent, facts.profile)


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (None, "No such file"),
        (b"{", "truncated"),
        (b"[]", "Expected `object`"),
        (b'{"a":' + b"[" * 10**5, "recursion"),
    ],
)
def test_a_file_that_is_not_a_recorded_machine_is_a_usage_error(
    tmp_path: Path, content: bytes | None, detail: str
) -> None:
    """A missing file, text that is not JSON and JSON of another kind are all refused."""
    path = tmp_path / "facts.json"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(MpsDoctorError) as raised:
        read_facts(path)

    error = raised.value
    assert (
        f"{path} is not a recorded machine",
        "`mpsdoctor check --save-facts FILE` records one.",
        ExitCode.USAGE,
    ) == (error.title, error.hint, error.exit_code)
    assert detail in error.detail


def test_a_recorded_machine_is_read(tmp_path: Path) -> None:
    """A file with facts gives these facts."""
    facts = Facts(system=System(kernel="Linux"), python=Python(version="3.12.8"))
    path = tmp_path / "facts.json"
    path.write_bytes(msgspec.json.encode(facts))

    assert facts == read_facts(path)


@pytest.mark.parametrize(
    ("ignore", "title", "hint"),
    [
        (["MPS304", "mps304"], "There is no check mps304", "Did you mean MPS304?"),
        (["zzz", "MPS101", "aaa"], "There is no check aaa", "`mpsdoctor check -v` lists them."),
    ],
)
def test_an_unknown_check_cannot_be_ignored(ignore: list[str], title: str, hint: str) -> None:
    """The first unknown id is named, with the one that it is like."""
    with pytest.raises(MpsDoctorError) as raised:
        choose_checks(quick=False, ignore=ignore)

    error = raised.value
    assert (title, "", hint, ExitCode.USAGE) == (
        error.title,
        error.detail,
        error.hint,
        error.exit_code,
    )


def test_checks_are_left_out_by_id_and_when_quick() -> None:
    """A quick choice has no check that asks torch; ignored ones are never chosen."""
    assert list(CHECKS) == choose_checks(quick=False, ignore=())
    assert list(CHECKS[1:]) == choose_checks(quick=False, ignore={"MPS101"})
    assert [check for check in CHECKS[1:] if not check.asks_torch] == choose_checks(
        quick=True, ignore={"MPS101", "MPS304"}
    )
    assert ["MPS303", "MPS304", "MPS305", "MPS312", "MPS710"] == [
        check.id for check in CHECKS if check.asks_torch
    ]


def test_the_owner_is_known_by_three_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner is known by home, user and host."""
    monkeypatch.setenv("HOME", "/Users/jo")
    monkeypatch.setattr(getpass, "getuser", lambda: "jo")
    monkeypatch.setattr(platform, "node", lambda: "jos-mac")

    assert Owner(home="/Users/jo", user="jo", host="jos-mac") == owner()


@pytest.mark.parametrize("error", [KeyError, OSError, RuntimeError])
def test_without_a_user_only_the_host_is_known(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """Each error with which Python finds no user or home is expected."""

    def nobody() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", nobody)
    monkeypatch.setattr(platform, "node", lambda: "jos-mac")

    assert Owner(host="jos-mac") == owner()
