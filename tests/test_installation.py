"""docs/installation.md says what pip and the knowledge base say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from mpsdoctor.knowledge import floors
from tests.support.command_lines import parse, typed
from tests.support.macos_resolve import MACOS, PINS, PYTHON

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/installation.md").read_text("utf-8")
SHELL = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under `heading`, without the line below its head."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in (table[0], *table[2:])
    ]


def oldest(macos: str) -> Version:
    return Version(macos.split(" to ")[0])


HEAD, *MACS = rows("Which PyTorch your Mac gets")


@pytest.mark.parametrize("row", MACS, ids=lambda row: row[0])
def test_each_mac_gets_the_torch_that_the_floors_give_it(row: list[str]) -> None:
    """The table is floors.toml, Python by Python."""
    macos, *torches, alone = row
    pythons = [Version(name.removeprefix("Python ")) for name in HEAD[1:-1]]
    expected = [floors.newest_torch_for(oldest(macos), python) for python in pythons]

    assert [str(torch or "none") for torch in expected] == torches

    floor = floors.macos_floor(Version(re.split(r"[, ]", alone)[0]))
    assert floor is not None
    assert (floor > oldest(macos)) is ("without mps" in alone)


def test_the_table_leaves_no_mac_and_no_python_out() -> None:
    """A row for each macOS that a PyTorch asks for, a column for each Python that is resolved."""
    assert [row.macos for row in floors.load().macos] == [oldest(row[0]) for row in MACS]
    assert [f"Python {python}" for python in PYTHON] == HEAD[1:-1]


def test_the_pinned_torch_has_mps_where_the_page_says_to_take_it() -> None:
    """`-c constraints.txt` is for macOS 14 and newer."""
    constraints = (ROOT / "constraints.txt").read_text("utf-8")
    pin = r"^torch==(\S+) ; sys_platform (?:!= 'linux'|== 'darwin')"
    [torch] = re.findall(pin, constraints, re.MULTILINE)

    [(macos, named)] = re.findall(
        r"^\*\*macOS (\d+) and newer\..* PyTorch (\S+)\.$", PAGE, re.MULTILINE
    )
    assert (torch, floors.macos_floor(Version(torch))) == (named, Version(macos))


def test_macos_13_has_its_line_for_every_way_to_install() -> None:
    """It takes the newest PyTorch that works there, and no pins, which do not install."""
    newest = floors.newest_torch_for(Version("13"), Version("3.12"))
    lines = [line for line in SHELL.splitlines() if "'torch<" in line]
    assert [".venv/bin/pip install", "uv tool install", "pipx install"] == [
        " ".join(re.split(r" [-']", line)[:1]) for line in lines
    ]
    for line in lines:
        [bound] = re.findall(r"'torch<([\d.]+)'", line)
        floor = floors.macos_floor(Version(bound))
        assert newest is not None
        assert floor is not None
        assert newest < Version(bound)
        assert floor > Version("13")
        assert "constraints.txt" not in line


@pytest.mark.parametrize("line", sorted(set(typed(SHELL))))
def test_its_commands_exist(line: str) -> None:
    """Whatever of mpsdoctor it says to type can be typed."""
    parse(line)


UV = """\
#!/bin/sh
case "$MACOSX_DEPLOYMENT_TARGET $*" in
"15.0 "*"--python-version 3.13 "*constraints.txt*) echo "no wheels for torch" >&2; exit 1 ;;
esac
printf 'torch==2.14.1\\ndiffusers==0.42.1\\ntransformers==5.23.0\\n'
"""


def test_one_mac_without_a_solution_fails_them_all(tmp_path: Path) -> None:
    """`make macos-resolve` says which macOS and Python it is, and why."""
    uv = tmp_path / "uv"
    uv.write_text(UV)
    uv.chmod(0o755)

    script = ROOT / "tests/support/macos_resolve.py"
    asked = subprocess.run(
        [sys.executable, script, uv], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert 1 == asked.returncode
    failed = "macOS 15, Python 3.13, pinned: no solution\nno wheels for torch\n"
    assert failed in asked.stdout
    solved = "torch 2.14.1, diffusers 0.42.1, transformers 5.23.0"
    assert len(MACOS) * len(PYTHON) * len(PINS) - 1 == asked.stdout.count(f": {solved}\n")
