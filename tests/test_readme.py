"""The README and the pages behind it do what they say."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from mpsdoctor.checks.runner import examine
from mpsdoctor.facts.records import Facts
from mpsdoctor.reports.text import render
from mpsdoctor.resources import shipped
from mpsdoctor.shapes.captions import Item, Scene
from mpsdoctor.shapes.training.judge import judge

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).parents[1]
README = "README.md"
SETUP = {
    "make demo",
    "make test",
    "python3 -m venv .venv",
    ".venv/bin/pip install -c constraints.txt '.[render]'",
    "uv tool install -c constraints.txt '.[render]'",
}
"""Lines that install: too slow for here. `make test` runs this, and test_shipped.py installs."""


def read(document: str) -> str:
    return (ROOT / document).read_text("utf-8")


def blocks(language: str, document: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", read(document), re.MULTILINE | re.DOTALL)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A newcomer's, with mpsdoctor on the path."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    threads = {name: value for name, value in os.environ.items() if name == "OMP_NUM_THREADS"}
    return {"HOME": str(tmp_path), "PATH": path, "PYTHONWARNINGS": "ignore", **threads}


def wait_for(path: Path) -> None:
    for _ in range(1200):
        if path.exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} does not come")


def lines() -> Iterator[str]:
    for block in blocks("sh"):
        yield from block.splitlines()


def test_its_commands_run_in_their_order(tmp_path: Path, environ: dict[str, str]) -> None:
    """A newcomer who types them gets a profile, a picture, and one from the hot folder."""
    with ExitStack() as daemons:
        for line in lines():
            if line in SETUP:
                continue
            if line == "mpsdoctor watch":
                daemon = subprocess.Popen(["mpsdoctor", "watch"], env=environ, cwd=tmp_path)
                daemons.enter_context(daemon)
                daemons.callback(daemon.terminate)
                wait_for(tmp_path / "mpsdoctor/inbox")
                continue
            run = subprocess.run(["bash", "-c", line], env=environ, cwd=tmp_path, check=False)
            away_from_a_mac = line.startswith("mpsdoctor check") and sys.platform != "darwin"
            assert (1 if away_from_a_mac else 0) == run.returncode, line
        wait_for(tmp_path / "mpsdoctor/images/heart.png")

    assert (tmp_path / "a-large-orange-ring-on-a-black-background.png").exists()
    with Image.open(tmp_path / "mpsdoctor/images/heart.png") as image:
        verdict = judge(image, Scene((Item("purple", "heart"),), "white"))
    assert (True, True, True) == (verdict.background, verdict.colours, verdict.shapes)


@pytest.mark.parametrize("document", [README, "docs/shapes.md", "docs/api.md"])
def test_its_python_runs(document: str, tmp_path: Path, environ: dict[str, str]) -> None:
    """Its examples run, one after the other, and the first draws what its prompt says."""
    subprocess.run(["mpsdoctor", "check"], env=environ, cwd=tmp_path, check=False)
    program = "\n".join(blocks("python", document))

    subprocess.run([sys.executable, "-c", program], env=environ, cwd=tmp_path, check=True)

    with Image.open(tmp_path / "circle.png") as image:
        assert judge(image, Scene((Item("red", "circle"),), "white")).shapes


def test_its_report_is_what_that_mac_gets() -> None:
    """The text shown is the report of a recorded machine, to the letter."""
    recorded = (ROOT / "tests/facts/m2-max-macos-13.7.4-torch-2.10.0.dev.json").read_text()
    report = render(examine(msgspec.json.decode(recorded, type=Facts)))

    [shown] = blocks("text")

    assert report.plain.rstrip() == shown.rstrip()


def test_its_profile_is_one_that_ships() -> None:
    """The part shown is in that file, to the letter."""
    profile = shipped("profiles") / "m1-pro-16gb-torch-2.13.0-sdxl.toml"

    [part] = blocks("toml")

    assert part in profile.read_text("utf-8")


def documents() -> list[str]:
    return [README, *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("document", documents())
def test_links_and_pictures_exist(document: str) -> None:
    """No relative link leads nowhere."""
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", read(document))

    assert [] == [
        target for target in targets if not (ROOT / document).parent.joinpath(target).exists()
    ]
