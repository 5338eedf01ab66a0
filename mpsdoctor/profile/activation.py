"""Environment variables that were set after torch had read them."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from mpsdoctor.knowledge import variables


def too_late(set_now: Iterable[str], torch: Any) -> Iterator[str]:  # noqa: ANN401
    """One sentence each, on variables that have just been set and that torch does not see.

    `torch` is the imported module, None where it is not imported yet.
    """
    known = variables.known()
    read_at = {name: known[name].read for name in set_now if name in known}
    if torch is None or not read_at:
        return
    at_import = [name for name, when in read_at.items() if when == "import"]
    at_use = [name for name, when in read_at.items() if when == "use"]
    if at_import:
        names = ", ".join(at_import)
        yield f"PyTorch was imported before the profile set {names}, and does not see it."
    if at_use and _in_use(torch):
        names = ", ".join(at_use)
        yield f"mps was used before the profile set {names}: PyTorch may not see it."


def _in_use(torch: Any) -> bool:  # noqa: ANN401
    """Whether anything lies in mps memory: torch has built its allocator by then.

    To ask builds it too, from the variables as they are now.
    """
    with suppress(RuntimeError):  # which a wrong ratio raises, here or at the first use of mps
        return bool(torch.backends.mps.is_available() and torch.mps.current_allocated_memory())
    return False
