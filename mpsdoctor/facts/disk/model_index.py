"""model_index.json, which names the class and the components of a Diffusers pipeline."""

from collections.abc import Mapping
from typing import Any, NamedTuple

FILE = "model_index.json"


class Component(NamedTuple):
    """`library` is a Python package, a module of Diffusers' pipelines, or the model's own code."""

    library: str
    kind: str


def components(index: Mapping[str, Any]) -> dict[str, Component]:
    """The components that the pipeline loads, by name: each has a folder of that name.

    As in Diffusers (`DiffusionPipeline.from_pretrained`), a key that begins with `_` describes the
    pipeline itself, and `[null, null]` is an optional component that this model lacks. A modular
    pipeline adds a third part, the origin of the component. Other values, even lists, are arguments
    of the pipeline, such as `requires_safety_checker`.
    """
    return {
        name: Component(*entry[:2])
        for name, entry in index.items()
        if not name.startswith("_") and is_entry(entry) and all(map(_is_name, entry[:2]))
    }


def is_entry(value: object) -> bool:
    """Whether a value describes a component, which may be absent, and not an argument."""
    return (
        isinstance(value, list)
        and len(value) in (2, 3)
        and (value[:2] == [None, None] or all(map(_is_name, value[:2])))
    )


def pipeline(index: Mapping[str, Any]) -> str | None:
    """The name of the pipeline's class; a custom class is written with its module."""
    name = index.get("_class_name")
    if isinstance(name, list):
        name = name[-1] if name else None
    return name if _is_name(name) else None


def has_own_code(index: Mapping[str, Any]) -> bool:
    """Whether the pipeline's class is Python code of the model: `[module, class]`."""
    return isinstance(index.get("_class_name"), list)


def ignored_files(index: Mapping[str, Any]) -> frozenset[str]:
    """The files of the repository that its authors exclude from downloads."""
    names = index.get("_ignore_files")
    return frozenset(filter(_is_name, names)) if isinstance(names, list) else frozenset()


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != ""
