"""Every name of torch's mps modules that the code uses is there in each release, or is guarded.

What the releases have is recorded in tests/facts/torch-names/, and tests/support/torch_names.py
says how to record another. A name is guarded for the releases that lack it where, in one function,

* it is asked for with `getattr` and a default;
* it is in a place where a `hasattr` must have been true: in the branch of an `if` or a conditional
  expression, behind `and` or `or`, or after an `if` that leaves;
* it is in a `try` that catches AttributeError by its name, or ImportError for an import.
  Catching every exception does not guard a call: it would hide a misspelled name.

Comparing versions does not guard it either: only `hasattr` cannot be mistaken. Scopes are not told
apart: a name that means a module of torch means it in the whole file. A module that is passed to a
function or an attribute is refused, because it cannot be followed from there. Two things are not
seen: a module that torch is asked for with a computed name, as in `getattr(torch, device)`, and one
that another file or a class has given a name.
"""

import ast
import importlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import mpsdoctor
from tests.support import torch_names
from tests.support.torch_names import NAMESPACES, RECORDS, VERSIONS

PACKAGE = Path(mpsdoctor.__file__).parent
NAMES: dict[str, dict[str, list[str]]] = {
    path.stem: json.loads(path.read_text("utf-8"))["names"] for path in RECORDS.glob("*.json")
}
"""Version to module to names."""

MODULES = {module for names in NAMES.values() for module in names}
RUN_BY_ANY_TORCH = {"facts/probes/canaries.py", "facts/probes/mps_probe.py"}
"""In the user's other environments; elsewhere it is a torch that the extra `render` accepts."""

_LOOKS_AT = ast.Attribute | ast.BoolOp | ast.Compare | ast.Expr | ast.If | ast.IfExp | ast.UnaryOp
"""What hands no value on, other than as its own."""

_RUNS_BY_ITSELF = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Module
_IN_TEXT = re.compile("(?:{})(?:\\.\\w+)*".format("|".join(map(re.escape, NAMESPACES))))


class Source:
    """A module of ours, and what each of its names stands for in torch."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self.parents = {
            child: parent
            for parent in ast.walk(self.tree)
            for child in ast.iter_child_nodes(parent)
        }
        self.aliases: dict[str, set[str]] = defaultdict(set)
        for node in sorted(self._code(), key=lambda node: (node.lineno, node.col_offset)):
            for name, targets in self._bound(node):
                self.aliases[name] |= targets

    def refused(self, versions: set[str]) -> list[str]:
        """Line, name and versions of each name that one of `versions` lacks, unguarded."""
        missing = {
            (node.lineno, name): lacking
            for node, name in self.uses()
            if (lacking := [it for it in sorted(versions, key=Version) if _lacks(it, name)])
            and not self.is_guarded(node, name)
        }
        return [f"{line}: {name} {' '.join(missing[line, name])}" for line, name in sorted(missing)]

    def uses(self) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
        """Every dotted name in the three modules; `.*` where that could be any of theirs."""
        for node in self._code():
            yield from ((node, name) for name in self._named(node))

    def _code(self) -> Iterator[ast.stmt | ast.expr]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.stmt | ast.expr):
                yield node

    def _named(self, node: ast.stmt | ast.expr) -> Iterator[str]:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield from _within(alias.name)
            case ast.ImportFrom(module=str(module), names=names):
                for alias in names:
                    yield from _within(f"{module}.{alias.name}")
            case ast.Constant(value=str(text)) if not isinstance(self.parents[node], ast.Expr):
                for found in _IN_TEXT.findall(text):
                    yield from _within(found)
                if text in MODULES:
                    yield f"{text}.*"
            case ast.Attribute() | ast.Call(args=[_, _]):
                yield from (name for name in self._stands_for(node) if name in _within(name))
            case _:
                pass
        if isinstance(node, ast.expr) and not self._is_followed(node):
            yield from (f"{name}.*" for name in self._stands_for(node) & MODULES)

    def _is_followed(self, node: ast.expr) -> bool:
        """Whether it is still in sight what becomes of the value; a target has none."""
        match self.parents[node]:
            case ast.Assign(targets=targets):
                return all(isinstance(target, ast.Name) for target in targets)
            case ast.AnnAssign(target=target) | ast.NamedExpr(target=target):
                return isinstance(target, ast.Name)
            case ast.Call(func=ast.Name(id="getattr" | "hasattr"), args=[_, ast.Constant(), *_]):
                return True
            case parent:
                return isinstance(parent, _LOOKS_AT)

    def _bound(self, node: ast.stmt | ast.expr) -> Iterator[tuple[str, set[str]]]:
        """The names that a statement gives to what is or may be torch's."""
        match node:
            case ast.Import(names=names):
                for alias in names:
                    name = alias.asname or alias.name.split(".")[0]
                    yield name, {alias.name if alias.asname else name}
            case ast.ImportFrom(module=str(module), names=names):
                for alias in names:
                    yield alias.asname or alias.name, {f"{module}.{alias.name}"}
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Name):
                        yield target.id, self._stands_for(value)
            case (
                ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                | ast.NamedExpr(target=ast.Name(id=name), value=value)
            ):
                yield name, self._stands_for(value)
            case _:
                pass

    def _stands_for(self, node: ast.expr) -> set[str]:
        """The dotted names that an expression may stand for."""
        match node:
            case ast.Name(id=name):
                return self.aliases.get(name, set())
            case ast.Attribute(value=value, attr=name):
                return {f"{base}.{name}" for base in self._stands_for(value)}
            case ast.Call(
                func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(name)), *default]
            ):
                asked = {f"{base}.{name}" for base in self._stands_for(value)}
                return asked.union(*map(self._stands_for, default))
            case ast.IfExp(body=body, orelse=orelse):
                return self._stands_for(body) | self._stands_for(orelse)
            case ast.BoolOp(op=ast.Or(), values=values):
                return set[str]().union(*map(self._stands_for, values))
            case ast.BoolOp(values=[*_, value]) | ast.NamedExpr(value=value):
                return self._stands_for(value)
            case _:
                return set()

    def is_guarded(self, node: ast.AST, name: str) -> bool:
        """Whether `name` is there, or its absence is caught, wherever `node` runs."""
        error = "ImportError" if isinstance(node, ast.Import | ast.ImportFrom) else "AttributeError"
        while not isinstance(node, _RUNS_BY_ITSELF):
            parent = self.parents[node]
            if name in self._there(node, parent) or error in _caught(node, parent):
                return True
            node = parent
        return False

    def _there(self, node: ast.AST, parent: ast.AST) -> set[str]:
        """What must have been found before `parent` comes to its part `node`."""
        passed: list[tuple[ast.expr, bool]] = []
        match parent:
            case ast.BoolOp(op=op, values=values):
                earlier = values[: [*map(id, values)].index(id(node))]
                passed += [(value, isinstance(op, ast.And)) for value in earlier]
            case ast.If(test=test) | ast.IfExp(test=test) if node is not test:
                passed.append((test, node is parent.body or node in _block(parent, "body")))
        for name in ("body", "orelse", "finalbody"):
            if node in (block := _block(parent, name)):
                for statement in block[: block.index(node)]:
                    if isinstance(statement, ast.If) and isinstance(
                        statement.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break
                    ):
                        passed.append((statement.test, False))
        return set[str]().union(*(self._found(test, outcome) for test, outcome in passed))

    def _found(self, test: ast.expr, outcome: bool) -> set[str]:
        """The names that `hasattr` has found when `test` comes out so."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._found(operand, not outcome)
            case ast.BoolOp(op=op, values=values) if isinstance(op, ast.And) is outcome:
                return set[str]().union(*(self._found(value, outcome) for value in values))
            case ast.Call(func=ast.Name(id="hasattr"), args=[of, ast.Constant(value=str(name))]):
                return {f"{base}.{name}" for base in self._stands_for(of)} if outcome else set()
            case _:
                return set()


def _block(node: ast.AST, name: str) -> list[ast.AST]:
    block = getattr(node, name, None)
    return block if isinstance(block, list) else []


def _caught(node: ast.AST, parent: ast.AST) -> set[str]:
    """The exceptions that `parent` names and catches when `node` raises them."""
    if not isinstance(parent, ast.Try) or node not in parent.body:
        return set()
    kinds = (handler.type for handler in parent.handlers if handler.type)
    parts = (part for kind in kinds for part in ast.walk(kind))
    return {part.id for part in parts if isinstance(part, ast.Name)}


def _within(name: str) -> list[str]:
    """`name` and what it is reached through, as far as they lie in the three modules."""
    parts = name.split(".")
    through = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
    return [name for name in through if f"{name}.".startswith(tuple(f"{n}." for n in NAMESPACES))]


def _lacks(version: str, name: str) -> bool:
    """Whether that release has not the name; of an unknown module it says nothing."""
    modules = NAMES[version]
    module, _, own = name.rpartition(".")
    return name not in modules if name in NAMESPACES else own not in modules.get(module, [own])


def versions_for(module: str) -> set[str]:
    """The recorded releases that a module of ours may meet, by its path in the package."""
    if module in RUN_BY_ANY_TORCH:
        return set(NAMES)
    requirements = map(Requirement, metadata.requires("mpsdoctor") or [])
    accepted = next(line.specifier for line in requirements if line.name == "torch")
    return set(filter(accepted.contains, NAMES))


def test_the_code_uses_only_names_that_its_torch_has() -> None:
    """What a release lacks is asked for with care; nothing else ends on a user's Mac."""
    modules = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    sources = {name: Source(path.read_text("utf-8")) for name, path in modules.items()}
    refused = {name: source.refused(versions_for(name)) for name, source in sources.items()}
    assert {} == {name: lines for name, lines in refused.items() if lines}
    assert modules.keys() >= RUN_BY_ANY_TORCH
    for name in ("facts/probes/mps_probe.py", "rendering/gpu.py"):
        used = {use for _, use in sources[name].uses()}
        assert "torch.backends.mps.is_available" in used


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("torch.mps.no()", "mps.no"),
        ("import torch as t\nt.backends.mps.no", "backends.mps.no"),
        ("import torch.mps as m\nm.no()", "mps.no"),
        ("import torch.mps.no", "mps.no"),
        ("def f():\n m.no()\nfrom torch import mps as m", "mps.no"),
        ("from torch.mps import synchronize, no", "mps.no"),
        ("from torch.mps import *", "mps.*"),
        ("from torch.mps import profiler\nprofiler.no()", "mps.profiler.no"),
        ("m = torch.mps\nn = m\nn.no()", "mps.no"),
        ("if (m := torch.mps):\n m.no()", "mps.no"),
        ("(torch.mps if x else torch.accelerator).seed()", "accelerator.seed"),
        ("m = getattr(torch, 'mps', None)\nm and m.no()", "mps.no"),
        ("getattr(torch.mps, 'no')()", "mps.no"),
        ("tell('Run torch.mps.no().')", "mps.no"),
        # Which name it will be is not in sight.
        ("getattr(torch.mps, name, None)", "mps.*"),
        ("self.device = torch.mps", "mps.*"),
        ("f(torch.backends.mps)", "backends.mps.*"),
        ("import_module('torch.mps').no()", "mps.*"),
        # Some releases have it.
        ("torch.accelerator.empty_cache()", "accelerator.empty_cache"),
        ("torch.mps.load_metallib(x)", "mps.load_metallib"),
        # What looks like a guard is none.
        ("if hasattr(torch.mps, 'no'):\n pass\nelse:\n torch.mps.no()", "mps.no"),
        ("if x or hasattr(torch.mps, 'no'):\n torch.mps.no()", "mps.no"),
        ("if hasattr(torch.accelerator, 'no'):\n torch.mps.no()", "mps.no"),
        ("if not hasattr(torch.mps, 'no'):\n x()\ntorch.mps.no()", "mps.no"),
        ("hasattr(torch.mps, 'no') or torch.mps.no()", "mps.no"),
        ("torch.mps.no() and hasattr(torch.mps, 'no')", "mps.no"),
        ("try:\n torch.mps.no()\nexcept Exception:\n pass", "mps.no"),
        ("try:\n pass\nexcept AttributeError:\n torch.mps.no()", "mps.no"),
        ("try:\n from torch.mps import no\nexcept AttributeError:\n pass", "mps.no"),
        ("try:\n def f():\n  torch.mps.no()\nexcept AttributeError:\n pass", "mps.no"),
    ],
)
def test_a_name_that_a_release_lacks_is_refused(text: str, name: str) -> None:
    """However it is written, unless something makes sure that it is there."""
    (line,) = Source(f"import torch\n{text}").refused(versions_for("rendering/pipeline.py"))
    assert f"torch.{name}" == line.split()[1]


@pytest.mark.parametrize(
    "text",
    [
        "torch.mps.empty_cache()\ntorch.mps.profiler.start()",
        "torch.mps.Event().no(torch.mps.Event.no)",
        "if x and hasattr(torch.mps, 'no'):\n torch.mps.no()",
        "if not hasattr(torch.mps, 'no'):\n pass\nelse:\n torch.mps.no()",
        "def f():\n if not hasattr(torch.mps, 'no'):\n  return\n torch.mps.no()",
        "m = torch.mps\nif hasattr(m, 'no'):\n torch.mps.no()",
        "hasattr(torch.mps, 'no') and torch.mps.no()",
        "not hasattr(torch.mps, 'no') or torch.mps.no()",
        "torch.mps.no() if hasattr(torch.mps, 'no') else None",
        "getattr(torch.accelerator, 'no', torch.mps.empty_cache)()",
        "try:\n torch.mps.no()\nexcept (AttributeError, OSError):\n pass",
        "try:\n from torch.mps import no\nexcept ImportError:\n pass",
        "def f():\n 'There is no torch.mps.no.'",
    ],
)
def test_a_name_that_is_there_or_guarded_is_accepted(text: str) -> None:
    """Code for several releases can be written."""
    assert [] == Source(f"import torch\n{text}").refused(versions_for("rendering/pipeline.py"))


def test_other_things_may_be_called_torch() -> None:
    """The checks call the facts of torch so."""
    assert [] == Source("torch = facts.torch\ntorch.mps.no()").refused(set(NAMES))


def test_the_probe_may_meet_a_torch_that_cannot_render() -> None:
    """What other environments run is held to a torch of which torch.mps is not yet a part."""
    source = Source("import torch\ntorch.mps.synchronize()\ntorch.backends.mps.is_built()")
    assert [] == source.refused(versions_for("rendering/pipeline.py"))
    assert ["2: torch.mps 1.12.1"] == source.refused(versions_for("facts/probes/mps_probe.py"))


def test_every_release_is_recorded() -> None:
    """The list that the code is held to is the list that the script writes."""
    assert set(VERSIONS) == set(NAMES)
    assert [Version(version) for version in VERSIONS] == sorted(map(Version, NAMES))


INSTALLED = Version(metadata.version("torch")).base_version


@pytest.mark.skipif(INSTALLED not in NAMES, reason="the torch that is installed is not recorded")
def test_the_record_agrees_with_the_installed_torch() -> None:
    """The script reads from the files what torch has once it is imported, on Linux as on macOS."""
    found = util.find_spec("torch")
    assert found is not None
    assert found.origin is not None
    assert NAMES[INSTALLED] == torch_names.read(Path(found.origin).parents[1])
    for module, names in NAMES[INSTALLED].items():
        assert set(names) <= set(dir(importlib.import_module(module)))
