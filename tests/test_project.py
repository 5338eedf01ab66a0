"""The workflow for macOS runners follows what mpsdoctor is."""

from pathlib import Path

import pytest

from mpsdoctor.service.agent import Agent
from tests.support.command_lines import parse, typed

ROOT = Path(__file__).parents[1]
WORKFLOW = (ROOT / ".github/workflows/macos.yml").read_text("utf-8")


@pytest.mark.parametrize("line", typed(WORKFLOW))
def test_its_commands_exist(line: str) -> None:
    """No step types a command or an option that there is not."""
    parse(line)


def test_it_goes_the_whole_way() -> None:
    """It examines the Mac and records it, installs the agent, and removes it again."""
    commands = {" ".join(line.split()) for line in typed(WORKFLOW)}

    assert commands >= {
        "mpsdoctor check --save-facts facts.json",
        "mpsdoctor service install",
        "mpsdoctor service status",
        "mpsdoctor service uninstall",
    }


def test_it_looks_for_the_agent_where_it_is() -> None:
    """The label, the property list and the logs are those of the service."""
    agent = Agent(Path("~"), uid=0)

    assert f"gui/$(id -u)/{agent.label}" in WORKFLOW
    assert str(agent.plist) in WORKFLOW
    assert str(agent.logs) in WORKFLOW
