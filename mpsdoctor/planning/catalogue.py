"""The architectures of common models, so that a plan for one needs neither network nor weights.

`architectures/` has one file per architecture, in the form of `Entry`. Each is taken from the
config files in the model's repository on the hub:

* of networks, the keys that decide shapes and behaviour of a forward pass,
* of tokenizers, the longest prompt, if the pipeline needs it,
* of schedulers, what the class takes.

Keys of training and bookkeeping are left out, and so are values of null. A repository can name an
old class that Diffusers replaces on loading (PixArt's Transformer2DModel). The file then names the
class that is loaded.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from types import MappingProxyType

import msgspec

from mpsdoctor.planning.configs import ARCHITECTURES, Configs


class Entry(Configs, kw_only=True, forbid_unknown_fields=True):
    """One file of the catalogue.

    `sources` are the public places that its parts were read from, `<repository>:<path>@<commit>` or
    an address. The part's name comes first, unless all parts are from there. `weights` are the
    bytes of components' 16-bit weights on the hub, if a source states them.
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
