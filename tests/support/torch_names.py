"""Record the public names of torch's mps modules: `python -m tests.support.torch_names [FOLDER]`.

It reads the macOS wheels of `VERSIONS` and writes one file a version into tests/facts/torch-names/,
which tests/test_torch_names.py holds the code to. Wheels that FOLDER lacks are downloaded to it;
without FOLDER they go to a temporary folder, some 600 MB in all. Nothing of torch is imported, so
it runs on any machine.

When a new torch appears, add it to `VERSIONS`, run this, and commit the new file. A newer patch
release takes the place of its predecessor: delete that one's file.
"""

import ast
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

NAMESPACES = ("torch.accelerator", "torch.backends.mps", "torch.mps")
RECORDS = Path(__file__).parents[1] / "facts" / "torch-names"
VERSIONS = {
    "1.12.1": "3.10",
    "2.6.0": "3.11",
    "2.8.0": "3.11",
    "2.13.0": "3.11",
    "2.14.1": "3.11",
    "2.15.0": "3.11",
}
"""Release to a Python that it has a wheel for."""


def read(root: Path | zipfile.Path) -> dict[str, list[str]]:
    """Module to its public names, sorted; `root` holds the folder torch, and may be a wheel."""
    found: dict[str, list[str]] = {}
    for namespace in NAMESPACES:
        folder = root.joinpath(*namespace.split("."))
        if folder.is_dir():
            found.update(_package(namespace, folder))
    return found


def _package(name: str, folder: Path | zipfile.Path) -> Iterator[tuple[str, list[str]]]:
    """The package and its public modules, which are names of the package too."""
    modules = {
        path.name.removesuffix(".py"): ast.parse(path.read_text(encoding="utf-8"))
        for path in folder.iterdir()
        if path.name.endswith(".py")
    }
    package = modules.pop("__init__")
    public = sorted(module for module in modules if not module.startswith("_"))
    yield name, sorted({*_public(package), *public})
    for module in public:
        yield f"{name}.{module}", sorted(_public(modules[module]))


def _public(module: ast.Module) -> list[str]:
    """Its `__all__`; without one, the functions and classes that it defines."""
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                return list(ast.literal_eval(node.value))
            case _:
                pass
    defined = (node for node in module.body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    return [node.name for node in defined if not node.name.startswith("_")]


def _wheel(version: str, folder: Path) -> Path:
    pattern = f"torch-{version}-*_arm64.whl"
    if not any(folder.glob(pattern)):
        command = f"pip download torch=={version} --no-deps --only-binary=:all: --dest".split()
        # A wheel for an older macOS fits too.
        target = f"--platform macosx_14_0_arm64 --python-version {VERSIONS[version]}".split()
        subprocess.run([sys.executable, "-m", *command, folder, *target], check=True)
    (wheel,) = folder.glob(pattern)
    return wheel


def main(folder: Path) -> None:
    """Writes every record again."""
    RECORDS.mkdir(exist_ok=True)
    for version in VERSIONS:
        wheel = _wheel(version, folder)
        record = {"wheel": wheel.name, "names": read(zipfile.Path(wheel))}
        text = json.dumps(record, indent=2) + "\n"
        (RECORDS / f"{version}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(*sys.argv[1:] or [temporary]))
