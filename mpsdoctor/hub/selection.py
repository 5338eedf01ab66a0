"""Which files of a model's repository its pipeline loads; pure."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mpsdoctor.facts.disk import model_index

_SAFETENSORS, _PICKLES = "safetensors", "bin"

_STEM = "(?:diffusion_pytorch_model|pytorch_model|model)"
_SHARD = r"-\d{5}-of-\d{5}"
# Diffusers treats a folder with one of the first as a folder of weights (filter_model_files); it
# never reads the second.
_WEIGHTS = (".safetensors", ".bin", ".onnx", ".pb")
_OTHER_LIBRARIES = (".msgpack", ".onnx", ".pb", ".h5", ".ckpt", ".pt", ".pth", ".gguf")


@dataclass(frozen=True)
class Selection:
    """The files to download, sorted, and the components that a pipeline would not load.

    `with_variant` names the components that have the variant. `pickled` names those without
    safetensors, if pickles are refused; `coded` those that need Python code from the repository.
    """

    files: tuple[str, ...]
    with_variant: tuple[str, ...] = ()
    pickled: tuple[str, ...] = ()
    coded: tuple[str, ...] = ()


def select(
    names: Collection[str], index: Mapping[str, Any], *, variant: str | None, pickles: bool
) -> Selection:
    """The files of a repository that `DiffusionPipeline.from_pretrained` loads, out of `names`.

    `index` is the content of its model_index.json. A component's weights are those of `variant` if
    they exist, otherwise the plain ones; pickles are used only if there is nothing else. Diffusers'
    own download (variant_compatible_siblings) also includes weights of folders without a component.
    """
    files = {model_index.FILE}
    with_variant: list[str] = []
    pickled: list[str] = []
    coded: list[str] = ["pipeline"] if model_index.has_own_code(index) else []
    ignored = model_index.ignored_files(index)
    for component, (library, _) in model_index.components(index).items():
        folder = f"{component}/"
        inside = {
            name.removeprefix(folder)
            for name in names
            if name.startswith(folder) and name not in ignored
        }
        if f"{library}.py" in inside:
            coded.append(component)
        chosen = inside
        if any(name.endswith(_WEIGHTS) for name in inside):
            weights = _weights(inside, _SAFETENSORS, variant)
            if not weights and (weights := _weights(inside, _PICKLES, variant)):
                pickled.append(component)
            if weights - _weights(inside, _SAFETENSORS, None) - _weights(inside, _PICKLES, None):
                with_variant.append(component)
            chosen = weights | (inside & {"config.json"})
        files |= {folder + name for name in chosen if not name.endswith((*_OTHER_LIBRARIES, ".py"))}
    return Selection(
        files=tuple(sorted(files & set(names))),
        with_variant=tuple(with_variant),
        pickled=() if pickles else tuple(pickled),
        coded=tuple(coded),
    )


def _weights(names: set[str], kind: str, variant: str | None) -> set[str]:
    """One component's weights with their index, in the first spelling with any match."""
    for pattern in _spellings(kind, variant):
        found = {name for name in names if re.fullmatch(pattern, name)}
        if any(name.endswith(kind) for name in found):
            return found
    return set()


def _spellings(kind: str, variant: str | None) -> Iterator[str]:
    if variant:
        name = re.escape(variant)
        yield rf"{_STEM}\.{name}({_SHARD})?\.{kind}|{_STEM}\.{kind}\.index\.{name}\.json"
        yield rf"{_STEM}{_SHARD}\.{name}\.{kind}|{_STEM}\.{kind}\.{name}\.index\.json"
    yield rf"{_STEM}({_SHARD})?\.{kind}|{_STEM}\.{kind}\.index\.json"
