"""The rooms and their doors: which part of the package may import which."""

import ast
import sys
from collections.abc import Callable
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import mpsdoctor

PACKAGE = Path(mpsdoctor.__file__).parent
LEAVES = {
    "constants", "errors", "files", "install_commands", "libraries", "paths", "records",
    "resources", "units", "version",
}  # fmt: skip

ROOMS: dict[str, set[str]] = {
    "constants": set(),
    "version": set(),
    "units": set(),
    "records": set(),
    "install_commands": set(),
    "errors": {"constants"},
    "files": {"errors", "units"},
    "libraries": {"errors", "install_commands"},
    "paths": {"constants", "errors"},
    "resources": {"constants"},
    "facts": LEAVES,
    "knowledge": LEAVES | {"facts.records"},
    "profile": LEAVES | {"knowledge.variables"},
    "prompts": LEAVES,
    "planning": LEAVES
    | {"facts.child", "facts.command", "facts.disk.model_index", "facts.records", "knowledge"},
    "hub": LEAVES | {"facts"},
    "tuning": LEAVES | {"facts", "knowledge", "profile", "planning"},
    "checks": LEAVES
    | {"facts.agent", "facts.records", "knowledge"}
    | {"planning.forecast", "planning.needs", "tuning.fit"},
    "reports": LEAVES | {"checks.report", "facts.records", "knowledge.tolerances"},
    "fixing": LEAVES | {"profile"},
    "shapes": LEAVES,
    "rendering": LEAVES
    | {"facts.child", "facts.command", "facts.measurement", "facts.sw_vers", "knowledge"}
    | {"profile", "prompts", "shapes.captions"},
    "hotfolder": LEAVES
    | {"knowledge.messages", "profile", "prompts", "rendering.protocol"}
    | {f"facts.{source}" for source in ("command", "disk.volumes", "memory", "pmset", "sysctl")}
    | {"facts.probes.mac_answer", "facts.records"},
    "service": LEAVES | {"facts", "hotfolder.status"},
    "doctor": LEAVES | {"facts", "knowledge.variables", "checks", "profile", "service"},
    "api": LEAVES
    | {"facts.command", "facts.records", "profile", "rendering", "tuning"}
    | {"doctor.examine", "reports.notebook"},
    "__init__": LEAVES | {"api"},
    "cli": LEAVES
    | {"facts", "knowledge", "checks", "profile", "tuning", "prompts", "rendering", "hotfolder"}
    | {"reports", "fixing", "hub", "planning", "service", "doctor"},
    "__main__": {"cli"},
}
"""Each room, after all that it may import of ours; a dotted name is the one door into another."""

MOST_ENTRIES = {"": 30, "hotfolder": 12}
"""What a folder may show; every other one 20."""

HEAVY = {"torch", "diffusers", "transformers", "tokenizers", "accelerate", "safetensors"}
MAY_IMPORT_HEAVY = {
    "facts/probes/canaries.py",
    "facts/probes/mps_probe.py",
    "facts/probes/picture_probe.py",
    "libraries.py",
    "planning/build.py",
    "planning/storages.py",
    "planning/tokens.py",
    "planning/trace.py",
    "rendering/attention/bounded.py",
    "rendering/attention/precision.py",
    "rendering/attention/scope.py",
    "rendering/calls/arguments.py",
    "rendering/calls/call.py",
    "rendering/calls/noise.py",
    "rendering/calls/pictures.py",
    "rendering/calls/task.py",
    "rendering/fallback.py",
    "rendering/generate.py",
    "rendering/gpu.py",
    "rendering/guidance.py",
    "rendering/introspection/model.py",
    "rendering/introspection/signature.py",
    "rendering/measure.py",
    "rendering/notes.py",
    "rendering/number_format.py",
    "rendering/pipeline.py",
    "rendering/schedulers.py",
    "rendering/steps.py",
    "api.py",
    "rendering/vae.py",
    "rendering/worker.py",
    "shapes/training/architecture.py",
    "shapes/training/drawing.py",
    "shapes/training/fitting.py",
    "shapes/training/judge.py",
    "shapes/training/objectives.py",
    "shapes/training/recognition.py",
    "shapes/training/tokenizer.py",
    "shapes/training/train.py",
}


def modules() -> list[Path]:
    return sorted(
        path for path in PACKAGE.rglob("*.py") if "shipped" not in path.relative_to(PACKAGE).parts
    )


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Every imported name, dotted, wherever in the file it stands."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)


def needs(part: Callable[[str], str]) -> dict[str, set[str]]:
    """Each part of the package to those that it imports from, by what `part` makes of a module."""
    named = {module_of(path): path for path in modules()}
    found: dict[str, set[str]] = {}
    for name, path in named.items():
        used = {used if used in named else used.rpartition(".")[0] for used in imports(path)}
        found.setdefault(part(name), set()).update(map(part, used))
    return found


def module_of(path: Path) -> str:
    return ".".join((PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts))


def room_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    """Facts go in, a report and a profile come out: no room reaches into one it must not know."""
    room = room_of(path)
    for name in imports(path):
        if name.startswith("mpsdoctor."):
            target = name.removeprefix("mpsdoctor.")
            doors = ROOMS[room] | {room}
            assert any(target == door or target.startswith(f"{door}.") for door in doors), (
                f"{room} must not import {name}"
            )


def test_no_room_imports_upwards() -> None:
    """The rooms stand in one order, in which each comes after all that it may import."""
    order = list(ROOMS)
    for room, doors in ROOMS.items():
        below = order[: order.index(room)]
        assert set() == {door.partition(".")[0] for door in doors} - {*below, room}, room


def test_no_module_needs_itself() -> None:
    """Imports go one way, wherever in a file they stand: each module can be read after its own."""
    TopologicalSorter(needs(lambda module: module)).prepare()


@pytest.mark.parametrize(
    "room", sorted({path.relative_to(PACKAGE).parts[0] for path in PACKAGE.glob("*/*/")})
)
def test_no_sub_room_needs_itself(room: str) -> None:
    """Within a room its folders, and the modules beside them, can be read one after the other."""

    def part(module: str) -> str:
        return ".".join(module.split(".")[1:3]) if module.split(".")[1:2] == [room] else ""

    graph = {name: used - {name, ""} for name, used in needs(part).items() if name}
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    "folder",
    sorted({path.parent for path in PACKAGE.rglob("*.py") if "shipped" not in path.parts}),
    ids=lambda folder: str(folder.relative_to(PACKAGE)),
)
def test_a_folder_can_be_taken_in_at_a_glance(folder: Path) -> None:
    """No more entries than a newcomer reads through to find the right one."""
    shown = [path for path in folder.iterdir() if not path.name.startswith("__")]
    name = "" if folder == PACKAGE else str(folder.relative_to(PACKAGE))
    assert len(shown) <= MOST_ENTRIES.get(name, 20)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_torch_stays_in_the_modules_that_compute(path: Path) -> None:
    """Showing help, checking and reading a profile never pay for importing torch."""
    heavy = {name.split(".")[0] for name in imports(path)} & HEAVY
    if str(path.relative_to(PACKAGE)) not in MAY_IMPORT_HEAVY:
        assert set() == heavy


def test_every_room_has_its_line_in_the_table() -> None:
    """A new folder must say what it may import."""
    assert {room_of(path) for path in modules()} == set(ROOMS)


def test_only_the_standard_library_and_declared_packages_are_imported() -> None:
    """What the code imports is what pyproject.toml installs."""
    declared = {
        "click", "msgspec", "packaging", "platformdirs", "psutil", "pydantic", "pydantic_settings",
        "rich", "tomli", "tomlkit", "typing_extensions", "watchdog", "numpy", "PIL",
        "huggingface_hub", *HEAVY,
    }  # fmt: skip
    used = {name.split(".")[0] for path in modules() for name in imports(path)}
    assert set() == used - declared - set(sys.stdlib_module_names) - {"mpsdoctor", "tomllib"}
