"""The facts of the last check of this machine, stored beside the profile."""

import hashlib
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
from msgspec.structs import replace

from mpsdoctor.facts import sw_vers, sysctl
from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.probes import torch_answer
from mpsdoctor.facts.records import Facts
from mpsdoctor.files import read_regular, write_atomically
from mpsdoctor.records import Record
from mpsdoctor.version import __version__

_MAC = ("hw.model", "hw.memsize", "iogpu.wired_limit_mb")

Conditions = dict[str, str]
"""What facts depend on: the name of each thing, and its release."""


class SavedFacts(Record):
    """Facts and the conditions under which they were found."""

    conditions: Conditions
    facts: Facts


def conditions(run: Runner, kernel: str) -> Conditions:
    """The current conditions, for this process's Python; `kernel` is `platform.system()`."""
    is_mac = kernel == "Darwin"
    build = sw_vers.read(run, kernel).macos_build if is_mac else kernel
    values = sysctl.read(run) if is_mac else {}
    canaries = torch_answer.PROBE.with_name("canaries.py").read_bytes()
    return {
        "Mac": " ".join(values.get(name, "not known") for name in _MAC),
        "macOS": build or "not known",
        "Python": f"{sys.version.split()[0]} ({sys.prefix})",
        "torch": _version("torch"),
        "Diffusers": _version("diffusers"),
        "mpsdoctor": __version__,
        "canaries": hashlib.sha256(canaries).hexdigest()[:8],
    }


def save(path: Path, facts: Facts, holding_for: Conditions) -> None:
    """Writes the facts about the machine, but not those about files, variables or the profile.

    Raises OSError.
    """
    machine = replace(
        facts,
        environment=None,
        hot_folder=None,
        hub_cache=None,
        model_files=None,
        profile=None,
        agent=None,
    )
    saved = SavedFacts(conditions=holding_for, facts=machine)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, msgspec.json.encode(saved) + b"\n")


def read(path: Path) -> SavedFacts | None:
    """The stored facts; None if there is no such file, or it is not understood."""
    try:
        return msgspec.json.decode(read_regular(path), type=SavedFacts)
    except (OSError, ValueError, RecursionError):
        return None


def changes(saved: SavedFacts, now: Conditions) -> list[str]:
    """What has changed since the facts were saved, in words."""
    return [
        f"{name} {saved.conditions.get(name, 'not known')} -> {now[name]}"
        for name in now
        if saved.conditions.get(name) != now[name]
    ]


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"
