"""Which weight files of a component are present, and which are missing."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

SAFETENSORS = "safetensors"
PICKLE = "bin"

# Diffusers' and Transformers' names, with a variant before or after the number of the shard.
_WEIGHTS = re.compile(
    r"(?P<stem>(diffusion_pytorch_|pytorch_)?model)(\.[\w-]+?)?(?P<shard>-\d{5}-of-\d{5})?(\.[\w-]+)?"
    rf"\.(?P<format>{SAFETENSORS}|{PICKLE})"
)


@dataclass(frozen=True)
class Weights:
    """One component's weights: the format in which they are complete, or what is missing."""

    format: str | None
    missing: tuple[str, ...] = ()


def read(component: Path) -> Weights:
    """The weights in a component's folder; safetensors come before pickles."""
    names = real_files(component)
    gaps: list[str] = []
    for kind in (SAFETENSORS, PICKLE):
        matches = [match for match in map(_WEIGHTS.fullmatch, names) if match]
        found = [match for match in matches if match["format"] == kind]
        if any(not match["shard"] for match in found):
            return Weights(kind)
        missing = _missing_shards(component, kind, names, found)
        if missing == []:
            return Weights(kind)
        gaps = gaps or missing or []
    return Weights(None, tuple(gaps) or (f"weights (*.{SAFETENSORS})",))


def real_files(folder: Path) -> list[str]:
    """Names of files with content; links to missing files do not count."""
    try:
        return sorted(p.name for p in folder.iterdir() if p.is_file() and p.stat().st_size > 0)
    except OSError:
        return []


def _missing_shards(
    component: Path, kind: str, names: list[str], shards: list[re.Match[str]]
) -> list[str] | None:
    """The missing files of the most complete index; None if there are no shards at all."""
    indexes = [name for name in names if f".{kind}." in name and name.endswith(".json")]
    gaps = [sorted(_listed(component / name) - set(names)) for name in indexes]
    if gaps:
        return min(gaps, key=len)
    return [f"{shards[0]['stem']}.{kind}.index.json"] if shards else None


def _listed(index: Path) -> set[str]:
    """The files that an index names; an unreadable index counts as missing itself."""
    try:
        files = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        files = set()
    return {str(file) for file in files} or {f"{index.name} (unreadable)"}
