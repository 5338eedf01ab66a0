"""A fix that is killed at every line that it runs: `python -m tests.support.killed_fix FOLDER`.

Prints at how many lines the fix could be undone, or fails with the difference.
"""

import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from mpsdoctor import files
from mpsdoctor.fixing import act, journal
from mpsdoctor.fixing.step import KeepCopy, MakeFolder, Step, WriteFile

OLD, NEW = b'dtpye = "float32"\n' * 9, b'dtype = "float32"\n' * 9
_WATCHED = {module.__file__ for module in (act, journal, files)}


def snapshot(root: Path) -> dict[str, bytes | None]:
    """Every folder and every file's content below `root`, without temporary files."""
    return {
        str(path.relative_to(root)): None if path.is_dir() else path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.suffix != ".tmp"
    }


def steps(root: Path) -> tuple[Step, ...]:
    """At least one step of each kind."""
    profile = str(root / "profile.toml")
    return (
        KeepCopy(path=profile, to=str(root / "profile.aside.toml")),
        WriteFile(path=profile, before=OLD, after=NEW),
        MakeFolder(path=str(root / "hot")),
        MakeFolder(path=str(root / "hot" / "inbox")),
    )


def killed_at(root: Path, record: Path, line: int) -> bool:
    """Whether a process that applies the steps was killed (SIGKILL) before line number `line`.

    Lines are counted as they are run, in the modules that touch the disk.
    """
    child = os.fork()
    if child == 0:
        left = line

        def trace(frame: FrameType, event: str, _argument: object) -> Any:
            nonlocal left
            if frame.f_code.co_filename not in _WATCHED:
                return None
            if event == "line":
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
            return trace

        sys.settrace(trace)
        act.apply(steps(root), record)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


def main(folder: str) -> int:
    """Kills, undoes and compares, until a fix completes."""
    root, record = Path(folder) / "tree", Path(folder) / "state" / "undo.json"
    root.mkdir()
    (root / "profile.toml").write_bytes(OLD)
    before = snapshot(root)
    line = 0
    while killed_at(root, record, line):
        undone = act.undo(record)
        if before != snapshot(root) or any(result.refused for result in undone):
            sys.exit(f"killed before line {line}: {undone} leaves {snapshot(root)}")
        if act.undo(record):
            sys.exit(f"killed before line {line}: something is left to undo")
        shutil.rmtree(record.parent, ignore_errors=True)
        line += 1
    if NEW != (root / "profile.toml").read_bytes() or not (root / "hot" / "inbox").is_dir():
        sys.exit("the fix did not get through")
    return line


if __name__ == "__main__":
    sys.stdout.write(f"{main(sys.argv[1])}\n")
