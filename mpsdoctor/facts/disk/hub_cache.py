"""huggingface_hub's cache: where it is, and whether it is complete."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.disk import storage
from mpsdoctor.facts.records import HubCache


def location(environ: Mapping[str, str], home: Path) -> Path:
    """The cache's folder, according to the rules of huggingface_hub.constants."""
    cache = environ.get("XDG_CACHE_HOME", f"{home}/.cache")
    hf_home = _expand(environ.get("HF_HOME", f"{cache}/huggingface"), environ, home)
    former = environ.get("HUGGINGFACE_HUB_CACHE", f"{hf_home}/hub")
    chosen = _expand(environ.get("HF_HUB_CACHE", former), environ, home)
    if chosen.startswith("~"):  # there is no home directory
        return Path(chosen)
    return Path(os.path.abspath(chosen))  # noqa: PTH100 (keeps symlinks)


def read(environ: Mapping[str, str], home: Path, run: Runner, kernel: str) -> HubCache:
    """The cache; it is empty if it does not exist yet."""
    path = location(environ, home)
    unfinished = [size for folder in _models(path) for size in _unfinished(folder)]
    return HubCache(
        folder=storage.folder(path, home, run, kernel),
        damaged=tuple(_name(folder) for folder in _models(path) if _has_broken_link(folder)),
        unfinished=len(unfinished),
        unfinished_bytes=sum(unfinished),
    )


def repository(cache: Path, model: str) -> Path:
    """The folder of the model with this id in the cache."""
    return cache / f"models--{model.replace('/', '--')}"


def _expand(path: str, environ: Mapping[str, str], home: Path) -> str:
    """`os.path.expanduser` and `expandvars`, for the environment `environ`."""
    if path == "~" or path.startswith("~/"):
        path = f"{home}{path[1:]}"
    return re.sub(
        r"\$(\w+|\{[^}]*\})",
        lambda match: environ.get(match[1].strip("{}"), match[0]),
        path,
    )


def _models(cache: Path) -> list[Path]:
    try:
        return sorted(cache.glob("models--*"))
    except OSError:
        return []


def _name(folder: Path) -> str:
    return folder.name.removeprefix("models--").replace("--", "/")


def _has_broken_link(folder: Path) -> bool:
    return any(path.is_symlink() and not path.exists() for path in _files(folder / "snapshots"))


def _unfinished(folder: Path) -> Iterator[int]:
    """The sizes, in bytes, of a model's incomplete files."""
    for path in _files(folder / "blobs"):
        if path.suffix == ".incomplete":
            try:
                yield path.stat().st_size
            except OSError:
                continue


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)
