"""The classes of the installed Diffusers, read from its source without importing it."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)
_END = re.compile(r"\)(?: -> [^:]+)?:\n")


def classes(folder: str, *words: str) -> Iterator[tuple[str, str]]:
    """Name and source of the classes in files of a folder that contain one of `words`."""
    spec = find_spec("diffusers")
    assert spec
    assert spec.origin
    for path in sorted((Path(spec.origin).parent / folder).rglob("*.py")):
        text = path.read_text("utf-8")
        if not words or any(word in text for word in words):
            _, *pieces = _CLASS.split(text)
            yield from zip(pieces[::2], pieces[1::2], strict=True)


def signature(source: str, method: str) -> frozenset[str]:
    """The words in the signature of a method of a class; empty if it does not define it."""
    _, _, rest = source.partition(f"def {method}(")
    end = _END.search(rest)
    return frozenset(re.findall(r"\w+", rest[: end.start()])) if end else frozenset()
