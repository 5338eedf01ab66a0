"""How long a dropped file must rest, which depends on the disk that it lies on."""

from pathlib import Path
from typing import Final

from mpsdoctor.facts.volumes import NETWORK, filesystem

_SETTLE_S: Final = 1.0
# Writers on other hosts cache, and their servers tell of a new size late.
_SETTLE_ON_NETWORK_S: Final = 10.0


def settle_seconds(root: Path) -> float:
    """The time without change after which a file is complete. Raises OSError."""
    return _SETTLE_ON_NETWORK_S if filesystem(root.resolve()) in NETWORK else _SETTLE_S
