"""The base class of all values that are written to or read from files."""

import sys

from msgspec import Struct

if sys.version_info >= (3, 11):
    from typing import dataclass_transform
else:
    from typing_extensions import dataclass_transform


# Tells type checkers what every subclass inherits.
@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record(Struct, frozen=True):
    """An immutable value that round-trips through JSON, with `msgspec.json`.

    Unknown keys are ignored, so files of newer versions can be read. Fields are keyword arguments.
    In a class with `kw_only`, a field without a default can follow one that has one.
    """
