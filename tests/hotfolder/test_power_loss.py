"""The power goes at any moment, and takes along what was not flushed."""

from pathlib import Path

import pytest

from tests.support.power_loss import Change, Cut, cuts, unsafe
from tests.support.printed import printed_by

pytestmark = pytest.mark.heavy


def test_what_a_power_cut_may_undo() -> None:
    """Content until the file is flushed, and names until their folders are."""
    changes = [
        Change(name="create", path="a/x.tmp"),
        Change(name="write", path="a/x.tmp", data=b"data"),
        Change(name="replace", path="a/x.tmp", target="b/x"),
        Change(name="flush", path="b/x"),
        Change(name="flush", path="a", folder=True),
        Change(name="flush", path="b", folder=True),
    ]
    assert [unsafe(changes[:n]) for n in range(7)] == [
        [],
        [0],
        [0, 1],
        [0, 1, 2],
        [0, 2],
        [2],
        [],
    ]
    assert list(cuts(changes[:1])) == [
        Cut(0),
        Cut(0),
        Cut(1),
        Cut(1, lost=frozenset({0})),
        Cut(1, lost=frozenset({0})),
    ]


def test_after_a_power_cut_at_any_moment_no_prompt_is_lost(tmp_path: Path) -> None:
    """Whichever unflushed operations the disk has kept, each prompt ends once."""
    line = printed_by("power_loss", str(tmp_path))
    moments, _, states, _, distinct, *_ = line.split()[2:]
    assert int(moments) >= 60
    assert int(states) > int(distinct) >= 60


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_after_a_power_cut_in_any_scenario_no_prompt_is_lost(tmp_path: Path) -> None:
    """The same with several pictures, a refused prompt, and a worker that crashes."""
    lines = printed_by("power_loss", str(tmp_path), "--all").splitlines()

    assert len(lines) >= 4
