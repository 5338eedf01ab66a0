"""`mpsdoctor render`."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from mpsdoctor.cli.render import slug


def test_a_seed_gives_the_same_picture_and_nothing_is_overwritten(tmp_path: Path) -> None:
    """Twice the same command: equal pictures beside each other, and no libraries' chatter."""
    profile = tmp_path / "profile.toml"
    profile.write_text('device = "cpu"\ndtype = "float32"\nnum_inference_steps = 1\n')
    command = [sys.executable, "-m", "mpsdoctor", "render", "A red circle!", "--seed", "7"]

    shown = [
        subprocess.run(
            [*command, "--profile", str(profile)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        for _ in range(2)
    ]

    assert ["a-red-circle.png\n", "a-red-circle-2.png\n"] == [run.stdout for run in shown]
    assert not any(chatter in run.stderr for run in shown for chatter in ("torchvision", "it/s"))
    with Image.open(tmp_path / "a-red-circle.png") as first:
        assert "Seed: 7" in first.info["parameters"]
        with Image.open(tmp_path / "a-red-circle-2.png") as second:
            assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("a red circle on white", "a-red-circle-on-white"),
        ("../../etc/passwd", "etc-passwd"),
        ("赤い円", "赤い円"),
        ("?!", "picture"),
        ("x" * 300, "x" * 60),
    ],
)
def test_a_picture_is_named_after_its_prompt(prompt: str, name: str) -> None:
    """Words only: no prompt names a path."""
    assert name == slug(prompt)
