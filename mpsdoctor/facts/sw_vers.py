"""The macOS version, from `sw_vers`."""

from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.records import System

COMMAND = ("/usr/bin/sw_vers",)
_SECONDS = 10.0

# What macOS 11 and later answer under SYSTEM_VERSION_COMPAT=1; no macOS was ever released as 10.16.
_COMPATIBILITY_VERSION = "10.16"


def parse(output: str) -> dict[str, str]:
    """Each `Name:<blanks>value` line; the number of tabs differs between macOS versions."""
    pairs = (line.partition(":") for line in output.splitlines())
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}


def read(run: Runner, kernel: str) -> System:
    """The system; version and build are None where `sw_vers` does not answer.

    A Rapid Security Response is told by the build alone: its `ProductVersionExtra` of `(a)` is no
    part of a version number.
    """
    said = parse(run(COMMAND, _SECONDS).stdout)
    version = said.get("ProductVersion")
    return System(
        kernel=kernel,
        macos_version=None if version == _COMPATIBILITY_VERSION else version or None,
        macos_build=said.get("BuildVersion") or None,
    )
