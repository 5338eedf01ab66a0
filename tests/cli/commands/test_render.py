"""`mpsdoctor render`."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from mpsdoctor.cli import main
from mpsdoctor.cli.commands.render import slug
from mpsdoctor.cli.doctor.tuned_profile import write_profile
from mpsdoctor.constants import ExitCode
from mpsdoctor.facts.records import Facts
from tests.support.machines import MACHINES

pytestmark = pytest.mark.heavy


def test_a_seed_gives_the_same_picture_and_nothing_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twice the same command: equal pictures beside each other, and no libraries' chatter."""
    profile = tmp_path / "profile.toml"
    profile.write_text('device = "cpu"\ndtype = "float32"\nnum_inference_steps = 1\n')
    command = ["render", "A red circle!", "--seed", "7", "--profile", str(profile)]
    monkeypatch.chdir(tmp_path)

    process = subprocess.run(
        [sys.executable, "-m", "mpsdoctor", *command], capture_output=True, text=True, check=True
    )
    assert ExitCode.OK is main.run(command)

    told = "Loading shapes on cpu …\n"
    assert ("a-red-circle.png\n", told) == (process.stdout, process.stderr)
    assert ("a-red-circle-2.png\n", told) == capsys.readouterr()
    with Image.open(tmp_path / "a-red-circle.png") as first:
        assert "Seed: 7" in first.info["parameters"]
        with Image.open(tmp_path / "a-red-circle-2.png") as second:
            assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        (
            "nope/x.png",
            ExitCode.FINDINGS,
            "Error: The picture cannot be written to {target}\n"
            "  No such file or directory.\n"
            "  Name a file in a folder that exists and that you may write to: --output FILE\n",
        ),
        (
            "x.jpg",
            ExitCode.USAGE,
            "Usage: mpsdoctor render [OPTIONS] PROMPT\n"
            "Try 'mpsdoctor render --help' for help.\n\n"
            "Error: Invalid value for --output: {target} does not end in .png.\n",
        ),
    ],
)
def test_a_picture_without_a_place_is_an_error_before_a_model_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, code: ExitCode, said: str
) -> None:
    """Nobody waits in vain, and nothing is written."""
    target = tmp_path / name
    assert code is main.run(["render", "a red circle", "-o", str(target)])

    assert ("", said.format(target=target)) == capsys.readouterr()
    assert [] == list(tmp_path.iterdir())


def test_a_picture_that_the_disk_does_not_take_is_said_to_be_lost(tmp_path: Path) -> None:
    """With the seed that gives it again, and nothing is left of it."""
    profile = tmp_path / "profile.toml"
    profile.write_text('device = "cpu"\ndtype = "float32"\nnum_inference_steps = 1\n')
    command = [sys.executable, "-m", "mpsdoctor", "render", "a red circle", "--seed", "7"]

    refused = subprocess.run(
        [*command, "--profile", str(profile)],
        cwd=tmp_path,
        # Coverage, too, would write to that disk, and complain.
        env={name: text for name, text in os.environ.items() if not name.startswith("COVERAGE")},
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512)),
    )

    assert ExitCode.FINDINGS == refused.returncode
    assert refused.stderr == (
        "Loading shapes on cpu …\n"
        "Error: The picture cannot be written to a-red-circle.png\n"
        "  File too large.\n"
        "  The picture is lost. To render it again, add: --seed 7 --output FILE\n"
    )
    assert "" == refused.stdout
    assert [profile] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("a red circle on white", "a-red-circle-on-white"),
        ("../../etc/passwd", "etc-passwd"),
        ("a" * 59 + " bc", "a" * 59),
        ("赤い円", "赤い円"),
        ("?!", "picture"),
        ("x" * 300, "x" * 60),
    ],
)
def test_a_picture_is_named_after_its_prompt(prompt: str, name: str) -> None:
    """Words only: no prompt names a path."""
    assert name == slug(prompt)


def small(tmp_path: Path, family: str) -> Path:
    """A model of that family on this disk."""
    from tests.support.pipelines import flux, stable_diffusion_xl

    build = {"sdxl": stable_diffusion_xl, "flux": flux}[family]
    build(tmp_path / "tokenizer").save_pretrained(tmp_path / family)
    return tmp_path / family


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The profile of a fresh check."""
    profile = tmp_path_factory.mktemp("checked") / "profile.toml"
    machine = (MACHINES / "linux-bare.json").read_bytes()
    write_profile(msgspec.json.decode(machine, type=Facts), None, profile)
    return profile


@pytest.mark.parametrize(("family", "side", "steps"), [("sdxl", 64, 50), ("flux", 256, 28)])
def test_another_model_is_rendered_at_its_own_size_and_steps(
    tmp_path: Path, checked: Path, family: str, side: int, steps: int
) -> None:
    """After a fresh check, whose profile is for `shapes`: 128×128 and 12 steps."""
    model = small(tmp_path, family)
    assert "num_inference_steps = 12" in checked.read_text()
    target = tmp_path / "picture.png"
    options = ["--model", str(model), "-o", str(target), "--profile", str(checked)]

    rendered = subprocess.run(
        [sys.executable, "-m", "mpsdoctor", "render", "a cat", *options],
        capture_output=True,
        text=True,
    )

    assert ExitCode.OK == rendered.returncode, rendered.stderr
    with Image.open(target) as image:
        assert (side, side) == image.size
        assert f"Steps: {steps}" in image.info["parameters"]
