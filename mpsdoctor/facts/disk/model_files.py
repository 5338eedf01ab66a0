"""How much of a model is on this disk, according to its files alone."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.facts.disk import hub_cache, model_index, weights
from mpsdoctor.facts.records import ModelFiles, ModelState
from mpsdoctor.files import read_regular
from mpsdoctor.resources import embedded_model

_MOST_MISSING = 20
_WITHOUT_WEIGHTS = ("Scheduler", "Tokenizer", "TokenizerFast", "Processor", "Extractor")


def read(
    model: str, environ: Mapping[str, str], home: Path, dtype: str | None = None
) -> ModelFiles:
    """The files of `model`: a Hugging Face id, a local folder or the embedded model.

    Nothing is downloaded or loaded.
    """
    found = folder(model, environ, home)
    if found is None:
        started = _cached(model, environ, home).is_dir()
        return ModelFiles(
            model=model,
            state=ModelState.PARTIAL if started else ModelState.ABSENT,
            missing=(model_index.FILE,) if started else (),
            dtype=dtype,
        )
    return replace(_examine(found), model=model, dtype=dtype)


def folder(model: str, environ: Mapping[str, str], home: Path) -> Path | None:
    """The folder of the model's files on this disk, if there is one."""
    return _local(model, home) or _snapshot(_cached(model, environ, home))


def _cached(model: str, environ: Mapping[str, str], home: Path) -> Path:
    return hub_cache.repository(hub_cache.location(environ, home), model)


def _local(model: str, home: Path) -> Path | None:
    if model == EMBEDDED_MODEL:
        return embedded_model()
    folder = home / model[2:] if model.startswith("~/") else Path(model)
    return folder if os.path.isdir(folder) else None  # noqa: PTH112 (never raises)


def _snapshot(repository: Path) -> Path | None:
    """The folder of the branch `main`, as of the last download."""
    try:
        commit = (repository / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    folder = repository / "snapshots" / commit
    return folder if commit and folder.is_dir() else None


def _examine(folder: Path) -> ModelFiles:
    try:
        index = json.loads(read_regular(folder / model_index.FILE))
        components, pipeline = model_index.components(index), model_index.pipeline(index)
    except (OSError, ValueError, AttributeError, RecursionError):
        return ModelFiles(model="", state=ModelState.PARTIAL, missing=(model_index.FILE,))
    missing: list[str] = []
    pickled: list[str] = []
    for name, (_, kind) in components.items():
        if kind.endswith(_WITHOUT_WEIGHTS):
            missing += _missing_config(folder / name, kind)
            continue
        found = weights.read(folder / name)
        if found.format == weights.PICKLE:
            pickled.append(name)
        missing += [f"{name}/{file}" for file in found.missing]
        if "config.json" not in weights.real_files(folder / name):
            missing.append(f"{name}/config.json")
    return ModelFiles(
        model="",
        state=_state(missing, pickled),
        pipeline=pipeline,
        missing=tuple(missing[:_MOST_MISSING]),
        pickled=tuple(pickled),
    )


def _missing_config(component: Path, kind: str) -> list[str]:
    """Missing files of a component without weights; only a scheduler's file name is fixed."""
    names = weights.real_files(component)
    if kind.endswith("Scheduler"):
        return (
            [] if "scheduler_config.json" in names else [f"{component.name}/scheduler_config.json"]
        )
    broken = [path.name for path in _entries(component) if not path.exists()]
    return [f"{component.name}/{name}" for name in broken or ([] if names else [""])]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _state(missing: list[str], pickled: list[str]) -> ModelState:
    if missing:
        return ModelState.PARTIAL
    return ModelState.PICKLED if pickled else ModelState.COMPLETE
