"""Is a dropped file complete? Decided by looking twice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mpsdoctor.facts.disk.volumes import NETWORK, filesystem
from mpsdoctor.hotfolder.spool.file_state import FileState


@dataclass(frozen=True, slots=True)
class Watched:
    """A file state, and the monotonic time in seconds since which it has not changed."""

    state: FileState
    since: float


def observe(
    before: Mapping[str, Watched], states: Mapping[str, FileState], now: float
) -> dict[str, Watched]:
    """Another look at the inbox: a changed file starts again, a deleted file is forgotten."""

    def watched(name: str, state: FileState) -> Watched:
        known = before.get(name)
        return known if known and known.state == state else Watched(state, now)

    return {name: watched(name, state) for name, state in states.items()}


def complete_at(entry: Watched, *, settle: float, settle_empty: float) -> float | None:
    """When the file is complete if it does not change again; None if it is still to change.

    Empty files and folders get `settle_empty` seconds. Programs create a file before they fill it,
    and a change deep inside a folder does not show on the folder.
    """
    state = entry.state
    if state.busy or state.dataless:
        return None
    slow = state.folder or state.hollow or (state.regular and state.size == 0)
    return entry.since + (settle_empty if slow else settle)


_SETTLE_S: Final = 1.0
# Writers on other hosts cache, and servers report a new size late.
_SETTLE_ON_NETWORK_S: Final = 10.0


def settle_seconds(root: Path, volume: Callable[[Path], str | None] = filesystem) -> float:
    """Seconds without a change after which a file is complete. Raises OSError."""
    return _SETTLE_ON_NETWORK_S if volume(root.resolve()) in NETWORK else _SETTLE_S
