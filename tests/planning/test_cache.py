"""Traced once, in a child process."""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.command import CommandResult, run
from mpsdoctor.planning import needs
from mpsdoctor.planning.cache import footprints
from mpsdoctor.planning.configs import Configs, read_folder
from mpsdoctor.resources import embedded_model

pytestmark = pytest.mark.heavy


def nobody(argv: Sequence[str], timeout: float) -> CommandResult:
    raise AssertionError(f"nothing is to be run: {argv}")


def changed() -> Configs:
    """The embedded model with another key than the needs that ship."""
    configs = read_folder("changed", embedded_model())
    configs.components["vae"]["sample_size"] = 64
    return configs


def test_an_unknown_model_is_traced_once(tmp_path: Path) -> None:
    """In a child, for all sizes at once; afterwards each size is on the disk."""
    sizes = [(128, 128), (64, 128)]
    first = footprints(changed(), sizes, "float32", tmp_path, run)
    assert sizes == [(one.width, one.height) for one in first]
    assert first == footprints(changed(), sizes, "float32", tmp_path, nobody)
    assert first[:1] == footprints(changed(), [(128, 128)], "float32", tmp_path, nobody)


def test_what_ships_is_not_traced(tmp_path: Path) -> None:
    """The embedded model's files are known, wherever they are."""
    configs = read_folder("my/copy", embedded_model())
    [found] = footprints(configs, [(128, 128)], "float16", tmp_path, nobody)
    assert ("my/copy", 128) == (found.model, found.width)


@pytest.mark.parametrize("content", ["", "{", "null", '{"model": 1}'])
def test_a_damaged_cache_is_made_again(content: str, tmp_path: Path) -> None:
    """What cannot be read counts as absent."""
    known = needs.of_model("shapes")
    assert known is not None
    answer = msgspec.json.encode(known.footprints[:1]).decode()
    asked = []

    def answers(argv: Sequence[str], timeout: float) -> CommandResult:
        asked.append(argv)
        return CommandResult(0, answer)

    for _ in range(2):
        footprints(changed(), [(128, 128)], "float16", tmp_path, answers)
        for path in tmp_path.iterdir():
            path.write_text(content)
    assert 2 == len(asked)


def test_the_childs_error_is_the_users(tmp_path: Path) -> None:
    """With its own words, and where it says nothing, with the last line of what it printed."""
    with pytest.raises(MpsDoctorError) as raised:
        footprints(changed(), [(61, 64)], "float32", tmp_path, run)
    assert "divisible by 8" in raised.value.detail

    def dies(argv: Sequence[str], timeout: float) -> CommandResult:
        return run([sys.executable, "-c", "import sys; sys.exit('no luck')"], timeout)

    with pytest.raises(MpsDoctorError) as raised:
        footprints(changed(), [(64, 64)], "float32", tmp_path, dies)
    assert "Python ended with exit code 1: no luck." == raised.value.detail

    def sleeps(argv: Sequence[str], timeout: float) -> CommandResult:
        return run([sys.executable, "-c", "import time; time.sleep(60)"], 0.1)

    with pytest.raises(MpsDoctorError) as raised:
        footprints(changed(), [(64, 64)], "float32", tmp_path, sleeps)
    assert "within" in raised.value.detail
