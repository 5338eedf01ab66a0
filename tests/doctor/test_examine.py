"""What an examination looks at."""

import os
import platform
from pathlib import Path

import pytest

from mpsdoctor.doctor.examine import examine_machine
from mpsdoctor.facts import command
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
