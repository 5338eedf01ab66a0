"""Try everything that the daemon does in a folder. Run in a child process, which may hang.

Behind an unanswered question of macOS's privacy protection `open` and `listdir` wait for ever, and
a folder may be listed that may not be read. Each line on stdout is a JSON object: the operation and
its errno's name, or null where it worked.
"""

import errno
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

OPERATIONS = ("list", "write", "read", "rename", "delete")


def attempt(folder: Path) -> None:
    """Prints a line after each operation; a file is made there and removed again."""
    first = folder / f".mpsdoctor-probe-{os.getpid()}"
    second = first.with_name(f"{first.name}.moved")
    actions: tuple[Callable[[], object], ...] = (
        partial(os.listdir, folder),
        partial(first.write_bytes, b"probe"),
        first.read_bytes,
        partial(first.rename, second),
        partial(second.unlink),
    )
    for name, action in zip(OPERATIONS, actions, strict=True):
        print(json.dumps([name, _error(action)]), flush=True)  # noqa: T201
    first.unlink(missing_ok=True)


def _error(action: Callable[[], object]) -> str | None:
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return None


if __name__ == "__main__":
    attempt(Path(sys.argv[1]))
