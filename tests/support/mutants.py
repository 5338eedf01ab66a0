"""Measures how many small faults in the code the tests notice.

    python -m tests.support.mutants --draw 100 --seed 1 mpsdoctor/planning mpsdoctor/tuning

draws faults at random, puts each into a copy of the project, and runs the tests that mirror the
module, then those of its room, then those of the rooms named with --also, until one fails. It
prints the faults that no test noticed; a person has to say which of them change nothing.

The faults are those that tests of this project have missed: a comparison at its limit, a part of a
condition, an item of a list, the first for the last, a statement that is left out.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import click
import pytest

ROOT = Path(__file__).parents[2]
_SECONDS = 600.0
_NEIGHBOUR = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OTHER = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
}


@dataclass(frozen=True)
class Mutant:
    """One fault: the text from `start` to `end` of a module, in bytes, becomes `text`."""

    module: Path
    line: int
    start: int
    end: int
    text: str
    kind: str

    def applied(self, source: bytes) -> bytes:
        """The module's source with the fault."""
        return source[: self.start] + self.text.encode() + source[self.end :]


def mutants_of(module: Path, source: str) -> Iterator[Mutant]:
    """Every fault that can be put into the module."""
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in _code(ast.parse(source)):
        for kind, text in _faults(node):
            assert isinstance(node, ast.expr | ast.stmt)
            assert node.end_lineno is not None
            assert node.end_col_offset is not None
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            yield Mutant(module, node.lineno, start, end, text, kind)


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Every node but annotations, docstrings and what only a type checker reads."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params"}:
            continue
        if isinstance(node, ast.JoinedStr):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_typing(child):
                yield from _code(child)


def _is_typing(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case _:
            return isinstance(node, ast.Import | ast.ImportFrom)


def _faults(node: ast.AST) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Compare(ops=[operator]):
            changed = copy.deepcopy(node)
            changed.ops = [_NEIGHBOUR[type(operator)]()]
            yield "comparison", f"({ast.unparse(changed)})"
        case ast.BoolOp():
            for index in range(len(node.values)):
                rest = [value for at, value in enumerate(node.values) if at != index]
                changed_bool = ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]
                yield "part of a condition", f"({ast.unparse(changed_bool)})"
        case ast.UnaryOp(op=ast.Not()):
            yield "not", f"({ast.unparse(node.operand)})"
        case ast.BinOp() if type(node.op) in _OTHER and not _is_text(node):
            other = ast.BinOp(node.left, _OTHER[type(node.op)](), node.right)
            yield "arithmetic", f"({ast.unparse(other)})"
        case ast.Constant(value=bool()):
            yield "truth", str(not node.value)
        case ast.Constant(value=int() | float() as number):
            yield "number", repr(number + 1)
        case ast.IfExp():
            yield "branch", f"({ast.unparse(node.body)})"
            yield "branch", f"({ast.unparse(node.orelse)})"
        case ast.Tuple(ctx=ast.Load()) | ast.List(ctx=ast.Load()) | ast.Set() if _is_list(node):
            for index in range(len(node.elts)):
                changed_list = copy.deepcopy(node)
                del changed_list.elts[index]
                yield "item", ast.unparse(changed_list)
        case ast.Dict() if len(node.keys) > 1:
            for index in range(len(node.keys)):
                changed_dict = copy.deepcopy(node)
                del changed_dict.keys[index], changed_dict.values[index]
                yield "item", ast.unparse(changed_dict)
        case ast.Call(keywords=[_, *_]) | ast.Call(args=[_, _, *_]):
            yield from _calls(node)
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign() | ast.Delete():
            yield "statement", "pass"
        case ast.Continue() | ast.Break():
            yield "statement", "pass"
        case ast.Return(value=ast.expr()) if not _is_none(node.value):
            yield "result", "return None"


def _calls(node: ast.Call) -> Iterator[tuple[str, str]]:
    for index, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            changed = copy.deepcopy(node)
            del changed.keywords[index]
            yield "argument", ast.unparse(changed)
    if len(node.args) > 1 and not any(isinstance(arg, ast.Starred) for arg in node.args):
        swapped = copy.deepcopy(node)
        swapped.args[:2] = swapped.args[1::-1]
        yield "order of arguments", ast.unparse(swapped)


def _is_list(node: ast.Tuple | ast.List | ast.Set) -> bool:
    """Whether an item can be left out: not of the slices of a tensor."""
    return len(node.elts) > 1 and not any(isinstance(item, ast.Slice) for item in node.elts)


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in sides
    )


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def tests_for(module: Path, also: list[str]) -> list[list[str]]:
    """What to run, in turn, for a module (relative to the project)."""
    inner = Path("tests", *module.parts[1:-1])
    mirrored = inner / f"test_{module.stem}.py"
    first = [str(mirrored)] if (ROOT / mirrored).exists() else []
    room = [str(Path("tests", module.parts[1]))] if len(module.parts) > 2 else []
    return [turn for turn in (first, room, also) if turn]


class Copy:
    """A copy of the project with an environment of its own, so that child processes use it too."""

    def __init__(self, folder: Path, marks: str) -> None:
        self.root = folder / "project"
        self._marks = marks
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in filter(lambda name: (ROOT / name).is_file(), listed.stdout.splitlines()):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, self.root / name)
        environment = folder / "venv"
        venv.create(environment, symlinks=True)
        packages = next(environment.glob("lib/python*/site-packages"))
        used = [path for path in sys.path if path.endswith("site-packages")]
        lines = [str(self.root), *used, sysconfig.get_paths()["purelib"]]
        (packages / "copy.pth").write_text("\n".join(lines) + "\n")
        self._python = environment / "bin" / "python"

    def is_noticed(self, mutant: Mutant, turns: list[list[str]]) -> bool:
        """Whether a test fails with the fault in the code."""
        path = self.root / mutant.module
        source = path.read_bytes()
        path.write_bytes(mutant.applied(source))
        try:
            return any(not self._passes(turn) for turn in turns)
        finally:
            path.write_bytes(source)

    def require_pass(self, turns: list[list[str]]) -> None:
        """Raises RuntimeError if one of the tests fails without any fault in the code."""
        for turn in turns:
            if not self._passes(turn):
                raise RuntimeError(f"without a fault, this fails: pytest {' '.join(turn)}")

    def _passes(self, tests: list[str]) -> bool:
        options = ["-q", "-x", "-p", "no:xdist", "-p", "no:cacheprovider", "-m", self._marks]
        try:
            ended = subprocess.run(
                [self._python, "-B", "-m", "pytest", *options, *tests],
                cwd=self.root,
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return ended.returncode in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}


def main() -> None:
    """Draws, tries and reports."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.mutants")
    parser.add_argument("--draw", type=int, default=50, help="how many faults")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--also", nargs="*", default=[], help="tests to run last")
    parser.add_argument("--marks", default="not slow", help="which tests, as for pytest -m")
    parser.add_argument("places", nargs="*", default=["mpsdoctor"], help="folders or modules")
    asked = parser.parse_args()

    modules = sorted({module for place in asked.places for module in _modules(ROOT / place)})
    found = [
        mutant
        for module in modules
        for mutant in mutants_of(module.relative_to(ROOT), module.read_text("utf-8"))
    ]
    drawn = random.Random(asked.seed).sample(found, min(asked.draw, len(found)))
    click.echo(f"{len(drawn)} of {len(found)} faults in {len(modules)} modules, seed {asked.seed}")
    _try(drawn, asked.jobs, asked.also, asked.marks)


def _modules(place: Path) -> list[Path]:
    return [place] if place.is_file() else list(place.rglob("*.py"))


def _try(drawn: list[Mutant], jobs: int, also: list[str], marks: str) -> None:
    kinds: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for index in range(jobs):
            copies.put(Copy(Path(folder, str(index)), marks))
        every = {tuple(turn) for mutant in drawn for turn in tests_for(mutant.module, also)}
        first = copies.get()
        first.require_pass([list(turn) for turn in sorted(every)])
        copies.put(first)

        def noticed(mutant: Mutant) -> tuple[Mutant, bool]:
            project = copies.get()
            try:
                return mutant, project.is_noticed(mutant, tests_for(mutant.module, also))
            finally:
                copies.put(project)

        with ThreadPoolExecutor(jobs) as pool:
            for mutant, caught in pool.map(noticed, drawn):
                if not caught:
                    kinds[mutant.kind] += 1
                    click.echo(f"{mutant.module}:{mutant.line}: {mutant.kind}: {mutant.text}")
    caught_count = len(drawn) - kinds.total()
    click.echo(f"{caught_count} of {len(drawn)} noticed; not noticed: {dict(kinds)}")


if __name__ == "__main__":
    main()
