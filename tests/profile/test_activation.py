"""Environment variables that torch has read before they were set."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mpsdoctor.knowledge import variables
from mpsdoctor.profile.activation import too_late
from mpsdoctor.profile.settings import Profile

pytestmark = pytest.mark.heavy

FALLBACK, RATIO = "PYTORCH_ENABLE_MPS_FALLBACK", "PYTORCH_MPS_LOW_WATERMARK_RATIO"


def torch_with(allocated: int | None) -> Any:
    """A torch with `allocated` bytes on mps; None: no mps, -1: mps fails to start."""

    def current_allocated_memory() -> int:
        if allocated == -1:
            raise RuntimeError("invalid low watermark ratio 1.4")
        assert allocated is not None
        return allocated

    return SimpleNamespace(
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: allocated is not None)),
        mps=SimpleNamespace(current_allocated_memory=current_allocated_memory),
    )


@pytest.mark.parametrize(
    ("torch", "told"),
    [
        (None, set()),
        (torch_with(None), {FALLBACK}),
        (torch_with(0), {FALLBACK}),
        (torch_with(-1), {FALLBACK}),
        (torch_with(4096), {FALLBACK, RATIO}),
    ],
)
def test_what_is_read_at_import_is_late_then_and_the_rest_once_mps_is_in_use(
    torch: Any, told: set[str]
) -> None:
    """Variables that are not PyTorch's are ignored."""
    sentences = " ".join(too_late((FALLBACK, RATIO, "HF_HOME"), torch))

    assert told == {name for name in (FALLBACK, RATIO, "HF_HOME") if name in sentences}


def test_the_fallback_is_what_torch_reads_when_it_is_imported() -> None:
    """All other variables are read at the first use."""
    assert [FALLBACK] == [
        name for name, variable in variables.known().items() if variable.read == "import"
    ]


ACTIVATE = """
import os, sys, warnings
from mpsdoctor.errors import MpsDoctorWarning
from mpsdoctor.profile.settings import Profile
profile = Profile(environment={"PYTORCH_ENABLE_MPS_FALLBACK": "1"})
if "first" in sys.argv:
    import torch
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    profile.activate({})
    profile.activate()
    profile.activate()
for one in caught:
    assert one.category is MpsDoctorWarning
    print(one.lineno, one.message)
"""


@pytest.mark.parametrize(
    ("argument", "environ", "warned"),
    [("", {}, False), ("first", {}, True), ("first", {FALLBACK: "0"}, False)],
)
def test_activating_after_torch_warns_once_where_it_changes_something(
    argument: str, environ: dict[str, str], warned: bool
) -> None:
    """The warning names the variable, the user's line and what to do."""
    run = subprocess.run(
        [sys.executable, "-c", ACTIVATE, argument],
        env={name: text for name, text in os.environ.items() if name != FALLBACK} | environ,
        capture_output=True,
        text=True,
        check=True,
    )

    if not warned:
        assert "" == run.stdout
        return
    assert run.stdout == (
        f"11 PyTorch was imported before the profile set {FALLBACK}, so it ignores the new value. "
        "Call `mpsdoctor.load_profile().activate()` before importing torch or anything that "
        "imports torch, and restart Python; in a notebook, restart the kernel.\n"
    )


def test_a_copy_of_the_environment_gets_what_is_missing() -> None:
    """The user's own values stay, and an imported torch does not matter."""
    environ = {FALLBACK: "0"}

    Profile(environment={FALLBACK: "1", RATIO: "0.8"}).activate(environ)

    assert {FALLBACK: "0", RATIO: "0.8"} == environ


@pytest.mark.parametrize("command", ["render", "measure"])
def test_our_own_commands_set_their_variables_in_time(command: str, tmp_path: Path) -> None:
    """Our own commands set the variables before they import torch."""
    settings = {
        "device": "cpu", "dtype": "float32", "environment": {FALLBACK: "1"},
        "width": 64, "height": 64,
    }  # fmt: skip
    profile, picture = tmp_path / "profile.json", tmp_path / "picture.png"
    profile.write_text(json.dumps(settings))
    toml = tmp_path / "profile.toml"
    toml.write_text(
        'device = "cpu"\ndtype = "float32"\nwidth = 64\nheight = 64\nnum_inference_steps = 1\n'
        f'[environment]\n{FALLBACK} = "1"'
    )
    line = {
        "render": ["mpsdoctor", "render", "a star", "-o", str(picture), "--profile", str(toml)],
        "measure": ["mpsdoctor.rendering.measure", str(profile), "1"],
    }[command]
    environ = {name: text for name, text in os.environ.items() if name != FALLBACK}

    run = subprocess.run(
        [sys.executable, "-W", "always", "-m", *line],
        env=environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "MpsDoctorWarning" not in run.stderr
    assert picture.exists() or '"step_seconds"' in run.stdout
