"""Warns about environment variables that were set after torch had read them."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from mpsdoctor.knowledge import variables


def too_late(set_now: Iterable[str], torch: Any) -> Iterator[str]:  # noqa: ANN401
    """One sentence for each kind of variable that has just been set, but too late for torch.

    `torch` is the imported module, or None if it is not imported yet.
    """
    known = variables.known()
    read_at = {name: known[name].read for name in set_now if name in known}
    if torch is None or not read_at:
        return
    at_import = [name for name, when in read_at.items() if when == "import"]
    at_use = [name for name, when in read_at.items() if when == "use"]
    if at_import:
        names = ", ".join(at_import)
        yield f"PyTorch was imported before the profile set {names}, so it ignores the new value."
    if at_use and _in_use(torch):
        names = ", ".join(at_use)
        yield f"mps was used before the profile set {names}, so PyTorch may ignore the new value."


def _in_use(torch: Any) -> bool:  # noqa: ANN401
    """Whether anything is in mps memory, because then torch has already built its allocator.

    Asking builds it too, with the current variables.
    """
    with suppress(RuntimeError):  # a wrong ratio raises it, here or at the first use of mps
        return bool(torch.backends.mps.is_available() and torch.mps.current_allocated_memory())
    return False
