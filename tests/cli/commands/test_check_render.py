"""`mpsdoctor check --render`: a real picture on the CPU, right and wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mpsdoctor.cli import main
from mpsdoctor.constants import ExitCode
from mpsdoctor.knowledge.tolerances import PICTURE

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).parents[3]
CHECK = (sys.executable, "-m", "mpsdoctor", "check", "--format", "json")
RECORDED = ROOT / "tests" / "facts" / "linux-bare.json"
# Puts one operation wrong in the picture's process, from the second rendering's noise on.
FAULTY = """
import sys
if any("picture_probe" in argument for argument in sys.orig_argv):
    import torch
    from tests.support.picture_faults import FAULTS, FaultyDevice
    class FromTheSecondRendering(FaultyDevice):
        renderings = 0
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.renderings += func.overloadpacket is torch.ops.aten.randn
            if self.renderings < 2:
                return func(*args, **(kwargs or {}))
            return super().__torch_dispatch__(func, types, args, kwargs)
    FromTheSecondRendering(FAULTS["convolutions are right for the first of a batch"]).__enter__()
"""


def check(home: Path, *arguments: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Facts, results by check id and what stderr says, of a real process."""
    environ = {
        **os.environ,
        "HOME": str(home),
        "MPSDOCTOR_PROFILE_FILE": str(home / "profile.toml"),
        "PYTHONPATH": os.pathsep.join([str(home), str(ROOT)]),
    }
    ended = subprocess.run(
        [*CHECK, *arguments], env=environ, capture_output=True, text=True, check=False
    )
    report = json.loads(ended.stdout)
    return report["facts"], {entry["id"]: entry for entry in report["results"]}, ended.stderr


def test_a_picture_is_rendered_and_compared_in_numbers(tmp_path: Path) -> None:
    """On the CPU both are the same; the numbers are in the report and shown besides."""
    facts, results, told = check(tmp_path, "--render", "--device", "cpu")

    picture = facts["picture"]
    assert ("compared", "cpu", "float32", 0.0) == tuple(
        picture[key] for key in ("status", "device", "dtype", "rms")
    ), picture
    assert picture["seconds"] > 0
    assert {canary["device"] for canary in facts["canaries"]} == {"cpu"}
    assert "ok" == results["MPS312"]["status"]
    assert "Picture on cpu in float32: 0 levels of 255 from the CPU's" in told


def test_a_device_that_is_wrong_is_an_error(tmp_path: Path) -> None:
    """One wrong operation in the picture's process, all the rest real."""
    (tmp_path / "sitecustomize.py").write_text(FAULTY, encoding="utf-8")

    facts, results, _ = check(tmp_path, "--render", "--device", "cpu")

    assert facts["picture"]["rms"] > PICTURE, facts["picture"]
    assert "error" == results["MPS312"]["finding"]["severity"]
    assert {"compared"} == {canary["status"] for canary in facts["canaries"]}
    assert results["MPS305"]["finding"] is None


def test_without_being_asked_no_picture_is_rendered(tmp_path: Path) -> None:
    """The picture is not recorded then, which leaves the verdict alone."""
    facts, results, told = check(tmp_path)

    assert facts["picture"] is None
    assert "not recorded" == results["MPS312"]["status"]
    assert "Picture" not in told


@pytest.mark.skipif(sys.platform == "darwin", reason="there may be an mps device")
def test_without_mps_the_cpu_is_not_taken_instead(tmp_path: Path) -> None:
    """`--render` alone asks about mps; that nothing was rendered is said."""
    facts, results, told = check(tmp_path, "--render")

    assert facts["picture"] is None
    assert "not recorded" == results["MPS312"]["status"]
    assert "Picture: not rendered" in told


@pytest.mark.parametrize("asked", [["--render"], ["--device", "cpu"]])
@pytest.mark.parametrize("elsewhere", [["--quick"], ["--facts", str(RECORDED)]])
def test_a_device_cannot_be_asked_about_without_asking_it(
    asked: list[str], elsewhere: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """That is a usage error, and the text names both."""
    assert ExitCode.USAGE is main.run(["check", *asked, *elsewhere])
    told = capsys.readouterr().err
    assert "--render and --device" in told
    assert elsewhere[0] in told
