"""How much memory is in use on a Mac, from `vm_stat`."""

import re

from mpsdoctor.facts.command import Runner

COMMAND = ("/usr/bin/vm_stat",)
_SECONDS = 10.0

_PAGE = re.compile(r"page size of (\d+) bytes")
_COUNT = re.compile(r"^([^:\n]+):\s+(\d+)\.$", re.MULTILINE)


def in_use_bytes(run: Runner) -> int | None:
    """What programs and macOS hold and cannot give back without compressing or swapping.

    App memory, wired memory and the compressor's, as Activity Monitor counts them
    (dylanaraps/neofetch #1752, eneskirca/nodeterm #135, graelo/pumas #36). psutil's `used` counts
    files that are only cached, and leaves out the compressor (psutil/arch/osx/mem.c).
    """
    output = run(COMMAND, _SECONDS).stdout
    page = _PAGE.search(output)
    pages = {name: int(count) for name, count in _COUNT.findall(output)}
    try:
        held = (
            pages["Anonymous pages"]
            - pages["Pages purgeable"]
            + pages["Pages wired down"]
            + pages["Pages occupied by compressor"]
        )
    except KeyError:
        return None
    return held * int(page[1]) if page else None
