"""The architectures of common models, so that a plan for one needs neither network nor weights.

`architectures/` has one file per architecture, in the form of `Entry`. Each holds what the model's
repository on the hub says in its config files, of that the keys that decide shapes and behaviour
of a forward pass; for a tokenizer, the longest prompt where the pipeline asks it; for a scheduler,
what its class takes. Left out are keys of training and bookkeeping, and values of null.

Where a repository names an old class that Diffusers replaces on loading (PixArt's
Transformer2DModel), the file names the class that is loaded.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from types import MappingProxyType

import msgspec

from mpsdoctor.planning.configs import ARCHITECTURES, Configs


class Entry(Configs, kw_only=True, forbid_unknown_fields=True):
    """One file of the catalogue.

    `sources` are the public places that its parts were read from, `<repository>:<path>@<commit>`
    or an address, behind the part's name where it is not all. `weights` are the bytes of a
    component's 16-bit weights on the hub, for those components of which a source says so.
    """

    sources: tuple[str, ...]
    weights: dict[str, int] = msgspec.field(default_factory=dict)


@cache
def load() -> Mapping[str, Entry]:
    """All entries by the name of their file, "sdxl"."""
    paths = sorted(ARCHITECTURES.glob("*.json"))
    return MappingProxyType(
        {path.stem: msgspec.json.decode(path.read_bytes(), type=Entry) for path in paths}
    )


def find(model: str) -> Entry | None:
    """The entry of an id on the hub, its own or one of the same architecture."""
    return next((entry for entry in load().values() if _describes(entry, model)), None)


def _describes(entry: Entry, model: str) -> bool:
    return model == entry.model or any(fnmatchcase(model, pattern) for pattern in entry.also)
