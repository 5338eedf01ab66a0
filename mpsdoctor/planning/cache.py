"""What was traced before, by all that it depends on; else a child process traces it; no torch."""

import hashlib
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.command import CommandResult, Runner
from mpsdoctor.files import replace_file
from mpsdoctor.planning import needs
from mpsdoctor.planning.configs import Configs
from mpsdoctor.planning.footprint import Footprint
from mpsdoctor.version import __version__

SECONDS = 300.0
"""For tracing one model at all the sizes that are asked for."""

Size = tuple[int, int]
"""Width and height in pixels."""


def footprints(
    configs: Configs,
    sizes: Sequence[Size],
    dtype: str,
    folder: Path,
    run: Runner,
) -> list[Footprint]:
    """What the model needs at each size: as it ships, as it was traced before, or traced now.

    `folder` keeps the traces.

    Raises MpsDoctorError where the child process fails or takes longer than `SECONDS`.
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
    """A cache that cannot be written costs time only."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / name, msgspec.json.encode(footprint))
    except OSError:
        pass


def _file(configs: Configs, width: int, height: int, dtype: str) -> str:
    """Named by the architecture, and by what else the result hangs on."""
    parts = [configs.key, __version__, *map(_version, ("torch", "diffusers", "transformers"))]
    digest = hashlib.sha256(" ".join(parts).encode()).hexdigest()[:24]
    return f"{digest}-{width}x{height}-{dtype}.json"


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "absent"


def _trace(configs: Configs, sizes: Sequence[Size], dtype: str, run: Runner) -> list[Footprint]:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(msgspec.json.encode(configs))
        file.flush()
        module = [sys.executable, "-m", "mpsdoctor.planning.child"]
        asked = [f"{width}x{height}" for width, height in sizes]
        result = run([*module, file.name, dtype, *asked], SECONDS)
    if result.exit_code == 0:
        return msgspec.json.decode(result.stdout, type=list[Footprint])
    raise _failed(configs.model, result)


def _failed(model: str, result: CommandResult) -> MpsDoctorError:
    try:
        title, detail, hint = msgspec.json.decode(result.stdout, type=tuple[str, str, str])
    except ValueError:
        last = result.stderr.strip().splitlines()[-1:] or [f"exit code {result.exit_code}"]
        detail = f"No answer within {SECONDS:.0f} s." if result.timed_out else last[0]
        return MpsDoctorError(
            f"What {model} needs cannot be found out",
            detail=detail,
            hint="Ask for fewer sizes, or smaller ones.",
        )
    return MpsDoctorError(title, detail=detail, hint=hint)
