"""The workflows, the Makefile and the pages for contributors follow what mpsdoctor is."""

import re
import subprocess
from pathlib import Path

import pytest

from mpsdoctor.service.agent import Agent
from tests.support.command_lines import parse, typed

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
WORKFLOWS = {path.stem: path.read_text("utf-8") for path in GITHUB.glob("workflows/*.yml")}
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text("utf-8")
FORMS = "\n".join(path.read_text("utf-8") for path in GITHUB.glob("ISSUE_TEMPLATE/*.yml"))
PAGES = (*WORKFLOWS.values(), CONTRIBUTING, SECURITY, FORMS)

ACTION = re.compile(r"uses: (\S+)(.*)")
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")
MAKE = re.compile(r"(?:^\s*(?:run: )?|`)make (?:[A-Z]+=\S+ )*([\w./-]+)", re.MULTILINE)
PATH = re.compile(r"(?:mpsdoctor|tests|docs|\.github)/[\w./-]*\w")
MODULE = re.compile(r"python -m ((?:tests|mpsdoctor)[\w.]+)")


@pytest.mark.parametrize("line", [line for page in PAGES for line in typed(page)])
def test_commands_exist(line: str) -> None:
    """No step types a command or an option that there is not."""
    parse(line)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned(name: str) -> None:
    """A tag can be moved to other code; the comment says which release the commit is."""
    for action, comment in ACTION.findall(WORKFLOWS[name]):
        assert PINNED.fullmatch(action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


def test_make_knows_its_targets() -> None:
    """Workflows and pages type no target that the Makefile lacks."""
    targets = {target for page in PAGES for target in MAKE.findall(page)}

    assert targets >= {"quick", "test", "test-slow", "coverage", "help", ".venv/dev"}
    for target in targets:
        ended = subprocess.run(
            ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr


def test_linux_runs_each_python_twice() -> None:
    """In the checkout, and with the wheel; from the oldest that the package admits."""
    pythons = re.findall(r"python: (\[.*\])", WORKFLOWS["linux"])

    assert pythons == ['["3.10", "3.11", "3.12", "3.13", "3.14"]'] * 2
    assert 'requires-python = ">=3.10"' in (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.mark.parametrize("path", sorted(set(PATH.findall(CONTRIBUTING))))
def test_contributing_names_files_that_exist(path: str) -> None:
    """A newcomer finds each file and folder that a recipe names."""
    assert (ROOT / path).exists()


@pytest.mark.parametrize("module", sorted(set(MODULE.findall(CONTRIBUTING))))
def test_contributing_names_modules_that_exist(module: str) -> None:
    """Each generator that a recipe runs is there."""
    assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()


def test_each_form_asks_for_the_report() -> None:
    """A bug without the facts of its machine can rarely be found."""
    forms = [path for path in GITHUB.glob("ISSUE_TEMPLATE/*.yml") if path.stem != "config"]

    assert len(forms) == 2
    for form in forms:
        assert "`mpsdoctor bugreport`" in form.read_text("utf-8")


def test_the_mac_goes_the_whole_way() -> None:
    """It examines the Mac and records it, installs the agent, and removes it again."""
    commands = {" ".join(line.split()) for line in typed(WORKFLOWS["macos"])}

    assert commands >= {
        "mpsdoctor check --save-facts facts.json",
        "mpsdoctor service install",
        "mpsdoctor service status",
        "mpsdoctor service uninstall",
    }


def test_the_mac_looks_for_the_agent_where_it_is() -> None:
    """The label, the property list and the logs are those of the service."""
    agent = Agent(Path("~"), uid=0)

    assert f"gui/$(id -u)/{agent.label}" in WORKFLOWS["macos"]
    assert str(agent.plist) in WORKFLOWS["macos"]
    assert str(agent.logs) in WORKFLOWS["macos"]
