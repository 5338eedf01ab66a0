"""The base of every value that is written to or read from a file."""

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

    Unknown keys are ignored, so that a file written by a newer version can still be read. Fields
    are given by name; one without a default can follow one with it in a class with `kw_only`.
    """
