"""The rooms and their doors: which part of the package may import which."""

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import mpsdoctor

PACKAGE = Path(mpsdoctor.__file__).parent
LEAVES = {"constants", "errors", "files", "installing", "paths", "records", "resources", "units"}

MAY_IMPORT = {
    "constants": set[str](),
    "errors": {"constants"},
    "files": {"errors"},
    "installing": set[str](),
    "paths": {"errors"},
    "records": set[str](),
    "resources": {"constants"},
    "units": set[str](),
    "facts": LEAVES,
    "knowledge": LEAVES | {"facts.model"},
    "checks": LEAVES
    | {"facts.agent", "facts.model", "knowledge"}
    | {"planning.forecast", "planning.needs", "tuning.fit"},
    "profile": LEAVES,
    "tuning": LEAVES
    | {"facts.model", "knowledge", "profile", "planning", "rendering.attention_pieces"}
    | {"rendering.measurement"},
    "fixing": LEAVES | {"profile"},
    "hub": LEAVES | {"facts"},
    "prompts": LEAVES,
    "planning": LEAVES
    | {"facts.command", "facts.model", "knowledge", "rendering.attention_pieces"}
    | {"rendering.attention_kernels", "__version__"},
    "rendering": LEAVES | {"profile", "prompts", "shapes.captions"},
    "hotfolder": LEAVES
    | {"profile", "prompts", "rendering.protocol"}
    | {
        f"facts.{source}"
        for source in ("command", "mac_answer", "memory", "pmset", "sysctl", "volumes")
    }
    | {"facts.model"},
    "service": LEAVES | {"facts", "hotfolder.status"},
    "shapes": LEAVES,
    "reports": LEAVES | {"checks.model", "facts.model"},
    "__init__": LEAVES | {"profile", "rendering"},
    "__main__": {"cli"},
    "cli": LEAVES
    | {"facts", "knowledge", "checks", "profile", "tuning", "prompts", "rendering", "hotfolder"}
    | {"reports", "fixing", "hub", "planning", "service"},
}
"""Room to what it may import of ours; a dotted name is the one door into another room."""

HEAVY = {"torch", "diffusers", "transformers", "tokenizers", "accelerate", "safetensors"}
MAY_IMPORT_HEAVY = {
    "facts/canaries.py",
    "facts/mps_probe.py",
    "facts/picture_probe.py",
    "planning/build.py",
    "planning/quiet.py",
    "planning/storages.py",
    "planning/tokens.py",
    "planning/trace.py",
    "rendering/attention.py",
    "rendering/attention_scope.py",
    "rendering/attention_precision.py",
    "rendering/gpu.py",
    "rendering/guidance.py",
    "rendering/ladder.py",
    "rendering/notes.py",
    "rendering/schedulers.py",
    "rendering/signature.py",
    "rendering/steps.py",
    "rendering/generate.py",
    "rendering/measure.py",
    "rendering/vae.py",
    "rendering/pipeline.py",
    "rendering/libraries.py",
    "rendering/tuned.py",
    "rendering/worker.py",
    "shapes/architecture.py",
    "shapes/drawing.py",
    "shapes/fitting.py",
    "shapes/judge.py",
    "shapes/objectives.py",
    "shapes/sight.py",
    "shapes/tokenizer.py",
    "shapes/train.py",
}


def modules() -> list[Path]:
    return sorted(
        path for path in PACKAGE.rglob("*.py") if "shipped" not in path.relative_to(PACKAGE).parts
    )


def imports(path: Path) -> Iterator[str]:
    """Every imported name, dotted, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


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
            doors = MAY_IMPORT[room] | {room, "__version__", "load_profile"}
            assert any(target == door or target.startswith(f"{door}.") for door in doors), (
                f"{room} must not import {name}"
            )


def test_no_module_needs_itself() -> None:
    """Imports go one way, wherever in a file they stand: each module can be read after its own."""
    named = {
        "mpsdoctor." + ".".join(p.relative_to(PACKAGE).with_suffix("").parts): p for p in modules()
    }
    needs = {
        name: {used if used in named else used.rpartition(".")[0] for used in imports(path)}
        for name, path in named.items()
    }
    TopologicalSorter(needs).prepare()


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_torch_stays_in_the_modules_that_compute(path: Path) -> None:
    """Showing help, checking and reading a profile never pay for importing torch."""
    heavy = {name.split(".")[0] for name in imports(path)} & HEAVY
    if str(path.relative_to(PACKAGE)) not in MAY_IMPORT_HEAVY:
        assert set() == heavy


def test_every_room_has_its_line_in_the_table() -> None:
    """A new folder must say what it may import."""
    assert {room_of(path) for path in modules()} <= set(MAY_IMPORT)


def test_only_the_standard_library_and_declared_packages_are_imported() -> None:
    """What the code imports is what pyproject.toml installs."""
    declared = {
        "click", "msgspec", "packaging", "platformdirs", "psutil", "pydantic", "pydantic_settings",
        "rich", "tomli", "tomlkit", "typing_extensions", "watchdog", "numpy", "PIL",
        "huggingface_hub", *HEAVY,
    }  # fmt: skip
    used = {name.split(".")[0] for path in modules() for name in imports(path)}
    assert set() == used - declared - set(sys.stdlib_module_names) - {"mpsdoctor"}
