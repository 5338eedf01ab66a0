"""Reads a Python and its packages. Imported, or run by path by Python 3.8 or newer.

Installed packages are never imported. importlib.metadata is not used either: Pythons differ if
metadata is damaged, and importing it takes longer than running this file.

Run by path, it prints the result of `read` as one JSON object. An older Python ends with a
SyntaxError, which mpsdoctor/facts/probes/interpreter.py recognizes.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import takewhile

NAMES = (
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "safetensors",
    "huggingface-hub",
    "tokenizers",
    "numpy",
    "pillow",
    "mpsdoctor",
)
"""The packages that matter, with normalized names."""

_HERE = os.path.dirname(os.path.abspath(__file__))
_NAME = re.compile(r"\s*([A-Za-z0-9._-]+)")
_SEPARATORS = re.compile(r"[-_.]+")


def read() -> dict[str, object]:
    """This interpreter and the packages on its path.

    `python` holds the known keys of mpsdoctor.facts.records.Python, `packages` the versions of
    NAMES. `requires` has their requirements of each other, unparsed. `markers` has the values on
    which these depend.
    """
    found = installed(sys.path)
    return {
        "python": _python(),
        "packages": {name: version for name, (version, _) in found.items()},
        "requires": {name: requires for name, (_, requires) in found.items()},
        "markers": _markers(),
    }


def installed(folders: Iterable[str]) -> dict[str, tuple[str, list[str]]]:
    """The version of each of NAMES, and its requirements of NAMES; the first match counts.

    The order is that of importlib.metadata, which Transformers uses to find versions. A folder
    without a version is skipped: updates can leave such folders (cpython #100666). Only
    `Requires-Dist` is read, which an old `*.egg-info` lacks.
    """
    found: dict[str, tuple[str, list[str]]] = {}
    for name, info in _infos(folders):
        if name in NAMES and name not in found:
            version, requires = _metadata(info)
            if version:
                found[name] = version, requires
    return {name: found[name] for name in NAMES if name in found}


def _infos(folders: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Every distribution's name and the path of its metadata."""
    for folder in folders:
        try:
            entries = os.listdir(folder)
        except OSError:  # usually the path of a zip file that does not exist
            continue
        for entry in entries:
            stem, ending = os.path.splitext(entry)
            if ending in (".dist-info", ".egg-info"):
                yield _canonical(stem.partition("-")[0]), os.path.join(folder, entry)


def _metadata(info: str) -> tuple[str, list[str]]:
    """Version and requirements; the version is empty if it cannot be read."""
    version, requires = "", []
    for line in _header(info):
        key, _, value = line.partition(":")
        if key == "Version":
            version = version or value.strip()
        elif key == "Requires-Dist" and _required(value) in NAMES:
            requires.append(value.strip())
    return version, requires


def _header(info: str) -> list[str]:
    """The lines of the metadata before the description; an `*.egg-info` may be a file itself."""
    for path in (os.path.join(info, "METADATA"), os.path.join(info, "PKG-INFO"), info):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return list(takewhile(lambda line: line != "\n", file))
        except OSError:
            continue
    return []


def _required(requirement: str) -> str:
    return _canonical(named.group(1)) if (named := _NAME.match(requirement)) else ""


def _canonical(name: str) -> str:
    # https://packaging.python.org/en/latest/specifications/name-normalization/
    return _SEPARATORS.sub("-", name).lower()


def _python() -> dict[str, object]:
    return {
        "version": platform.python_version(),
        "machine": platform.machine(),
        "executable": sys.executable,
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "conda": os.path.isdir(os.path.join(sys.base_prefix, "conda-meta")),
        "pip": any(map(_holds_pip, sys.path)),
    }


def _holds_pip(folder: str) -> bool:
    """Whether `python -m pip` finds pip there; metadata can outlive a removed package."""
    return os.path.isfile(os.path.join(folder, "pip", "__main__.py"))


def _markers() -> dict[str, str]:
    # https://packaging.python.org/en/latest/specifications/dependency-specifiers/
    release = sys.implementation.version
    implementation = "{}.{}.{}".format(release.major, release.minor, release.micro)
    if release.releaselevel != "final":
        implementation += "{}{}".format(release.releaselevel[0], release.serial)
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": implementation,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def main() -> None:
    """Prints the answer on its own line, whatever the Python prints when it starts."""
    # Python puts this file's folder first on the path; it contains no packages.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != _HERE]
    print("\n" + json.dumps(read()), flush=True)


if __name__ == "__main__":
    main()
