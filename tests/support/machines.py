"""The recorded machines of `tests/facts`."""

from pathlib import Path
from typing import Final

MACHINES: Final = Path(__file__).parents[1] / "facts"
