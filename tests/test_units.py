"""Amounts, and names that are written once."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from mpsdoctor.units import GB, GIB, KB, KIB, MB, MIB, gb, gib, mib, whole_gib
from tests.test_architecture import PACKAGE, modules

NO_AMOUNTS = {
    "units.py": "which owns them",
    "hotfolder/spool/images.py": "nanoseconds",
    "shapes/training/train.py": "steps",
}


def test_memory_is_in_gib_and_disks_in_gb() -> None:
    """As PyTorch counts the one and Finder the other; little is not rounded to nothing."""
    assert ["10.7 GiB", "1.0 GiB", "1.00 GiB", "0.05 GiB", "48 GiB", "64 MiB"] == [
        gib(10.66 * GIB), gib(GIB), gib(GIB - 1), gib(0.05 * GIB), whole_gib(47.6 * GIB),
        mib(64 * MIB),
    ]  # fmt: skip
    assert ["7.0 GB", "1.0 GB", "1000 MB", "500 MB", "1 MB", "1000 kB", "2 kB"] == [
        gb(7 * GB), gb(GB), gb(GB - 1), gb(500 * MB), gb(MB), gb(MB - 1), gb(1700),
    ]  # fmt: skip
    assert (2**10, 2**20, 2**30, 10**3, 10**6, 10**9) == (KIB, MIB, GIB, KB, MB, GB)


def amounts(tree: ast.AST) -> Iterator[int]:
    """Lines with what a unit is made of: 2**20, 1 << 30, 10**9, 1e6 or a product with 1024."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            if node.value in (10**6, 10**9):
                yield node.lineno
        elif isinstance(node, ast.BinOp):
            sides = [
                side.value if isinstance(side, ast.Constant) else None
                for side in (node.left, node.right)
            ]
            power = isinstance(node.op, ast.Pow) and sides in ([2, 20], [2, 30], [10, 6], [10, 9])
            shift = isinstance(node.op, ast.LShift) and sides[1] in (20, 30)
            if power or shift or (isinstance(node.op, ast.Mult) and 1024 in sides):
                yield node.lineno


def own_variables(tree: ast.AST) -> Iterator[int]:
    """Lines with the prefix of mpsdoctor's variables, docstrings not counted."""
    prose = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    code = {node for node in ast.walk(tree) if isinstance(node, ast.Constant)} - prose
    yield from (node.lineno for node in code if "MPSDOCTOR_" in str(node.value))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_unit_and_the_prefix_are_written_once(path: Path) -> None:
    """So one machine is not described in two units, and a variable has one spelling."""
    tree, name = ast.parse(path.read_text("utf-8")), str(path.relative_to(PACKAGE))
    if name not in NO_AMOUNTS:
        assert [] == list(amounts(tree))
    if name != "constants.py":
        assert [] == list(own_variables(tree))
