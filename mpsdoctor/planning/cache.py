"""Traces, kept by all that they depend on; a child process makes those that are missing."""

import hashlib
import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts import child
from mpsdoctor.facts.command import Runner
from mpsdoctor.files import replace_file
from mpsdoctor.planning import needs
from mpsdoctor.planning.configs import Configs
from mpsdoctor.planning.footprint import Footprint
from mpsdoctor.version import __version__

SECONDS = 300.0
"""For tracing one model at all requested sizes."""

_CHILD = "mpsdoctor.planning.child"

Size = tuple[int, int]
"""Width and height in pixels."""


def footprints(
    configs: Configs,
    sizes: Sequence[Size],
    dtype: str,
    folder: Path,
    run: Runner,
) -> list[Footprint]:
    """What the model needs at each size: shipped, traced before, or traced now.

    `folder` keeps the traces.

    Raises MpsDoctorError if the child process fails or takes longer than `SECONDS`.
    """
    found = {size: _known(configs, size, dtype, folder) for size in sizes}
    missing = [size for size, footprint in found.items() if footprint is None]
    if missing:
        for footprint in _trace(configs, missing, dtype, run):
            found[footprint.width, footprint.height] = footprint
            _keep(folder, _file(configs, footprint.width, footprint.height, dtype), footprint)
    return [footprint for footprint in found.values() if footprint is not None]


def _known(configs: Configs, size: Size, dtype: str, folder: Path) -> Footprint | None:
    shipped = needs.of_configs(configs.key)
    if shipped and (footprint := needs.exact(shipped, *size, dtype)):
        return msgspec.structs.replace(footprint, model=configs.model)
    try:
        content = (folder / _file(configs, *size, dtype)).read_bytes()
        footprint = msgspec.json.decode(content, type=Footprint)
    except (OSError, ValueError):
        return None
    return msgspec.structs.replace(footprint, model=configs.model)


def _keep(folder: Path, name: str, footprint: Footprint) -> None:
    """A cache that cannot be written costs only time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / name, msgspec.json.encode(footprint))
    except OSError:
        pass


def _file(configs: Configs, width: int, height: int, dtype: str) -> str:
    """Named by the architecture, and by everything else that the result depends on."""
    parts = [configs.key, __version__, *map(_version, ("torch", "diffusers", "transformers"))]
    digest = hashlib.sha256(" ".join(parts).encode()).hexdigest()[:24]
    return f"{digest}-{width}x{height}-{dtype}.json"


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "absent"


def _trace(configs: Configs, sizes: Sequence[Size], dtype: str, run: Runner) -> list[Footprint]:
    asked = [f"{width}x{height}" for width, height in sizes]
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(msgspec.json.encode(configs))
        file.flush()
        result = child.run_module(run, _CHILD, file.name, dtype, *asked, seconds=SECONDS)
    found = child.answer(result, list[Footprint])
    if found is None:
        raise MpsDoctorError(
            f"The memory needs of {configs.model} cannot be determined",
            detail=f"{child.how_it_ended(result, SECONDS)}.",
            hint="Try fewer or smaller sizes.",
        )
    return found
