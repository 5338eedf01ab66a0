"""Writes and reads the agent's property list; its template is in `launchd/` (launchd.plist(5))."""

import hashlib
import plistlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

from mpsdoctor.resources import shipped
from mpsdoctor.service.agent import WATCH, Agent

VARIABLES = "EnvironmentVariables"
_COMMAND = ("-m", "mpsdoctor", "watch")
_QUIET = "--quiet"  # in the template; older lists do not have it
_STAMP = re.compile(rb"<!-- Written by mpsdoctor (\S+), profile (\S+) -->")
_DIGEST_LENGTH = 12
# plistlib raises the last two for an invalid date and for a key outside of a dictionary.
_DAMAGED = (ValueError, ExpatError, AttributeError, IndexError)


def render(
    agent: Agent,
    python: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    version: str,
    profile: bytes,
) -> bytes:
    """The property list that makes launchd run `python -m mpsdoctor watch` with `arguments`.

    The same arguments give the same bytes. `version` is mpsdoctor's, `profile` the content of the
    profile's file. Both are in the list, so a daemon with an old version or profile is noticed.
    """
    filled = _filled({"@PYTHON@": python, "@LOGS@": str(agent.logs)})
    filled["ProgramArguments"] += arguments
    filled[VARIABLES] = dict(environment)
    text = plistlib.dumps(filled, sort_keys=True)
    digest = hashlib.sha256(profile).hexdigest()[:_DIGEST_LENGTH]
    stamp = f"<!-- Written by mpsdoctor {version}, profile {digest} -->\n"
    return text.replace(b"<plist ", stamp.encode() + b"<plist ", 1)


def render_probe(watch: bytes, agent: Agent, command: Sequence[str], output: Path) -> bytes:
    """A list for `agent` that runs `command` once, with the variables and limits of `watch`."""
    content = read(watch)
    probe = {
        "Label": agent.label,
        "ProgramArguments": list(command),
        "RunAtLoad": True,
        "LaunchOnlyOnce": True,
        "StandardOutPath": str(output),
        "StandardErrorPath": str(output),
    }
    kept = content.keys() & {"ProcessType", "SoftResourceLimits", VARIABLES}
    return plistlib.dumps(probe | {key: content[key] for key in kept}, sort_keys=True)


def read(content: bytes | None) -> dict[str, Any]:
    """The keys of an installed list; none if it is absent or damaged."""
    try:
        loaded = plistlib.loads(content or b"")
    except _DAMAGED:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def interpreter(content: bytes | None) -> str | None:
    """The program that an installed list runs."""
    command = _strings(read(content).get("ProgramArguments"))
    return command[0] if command else None


def arguments(content: bytes | None) -> tuple[str, ...]:
    """The arguments of `mpsdoctor watch` in an installed list, as for `render`."""
    command = _strings(read(content).get("ProgramArguments"))
    if tuple(command[1:4]) != _COMMAND:
        return ()
    return tuple(word for word in command[4:] if word != _QUIET)


def variables(content: bytes | None) -> dict[str, str]:
    """The environment in an installed list; launchd ignores values that are not strings."""
    found = read(content).get(VARIABLES)
    if not isinstance(found, dict):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def changes(installed: bytes, wanted: bytes) -> tuple[str, ...]:
    """The names of keys and variables that differ between the lists, never their values."""
    return tuple(_changes(installed, wanted))


def _changes(installed: bytes, wanted: bytes) -> Iterator[str]:
    old, new = read(installed), read(wanted)
    (version, profile), (new_version, new_profile) = _stamp(installed), _stamp(wanted)
    if version != new_version:
        yield f"mpsdoctor {version}, now {new_version}"
    if profile != new_profile:
        yield "profile"
    for key in sorted(old.keys() | new.keys()):
        if key != VARIABLES and old.get(key) != new.get(key):
            yield key
    had, has = variables(installed), variables(wanted)
    for name in sorted(had.keys() | has.keys()):
        if had.get(name) != has.get(name):
            yield f"{VARIABLES}.{name}"


def _stamp(content: bytes) -> tuple[str, str]:
    """The version that wrote a list, and the digest of the profile at that time."""
    found = _STAMP.search(content)
    version, profile = found.groups() if found else (b"?", b"?")
    return version.decode("utf-8", "replace"), profile.decode("utf-8", "replace")


def _strings(value: object) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def _filled(words: Mapping[str, str]) -> dict[str, Any]:
    text = (shipped("launchd") / f"{WATCH}.plist").read_text("utf-8")
    for name, word in words.items():
        text = text.replace(name, escape(word))
    content: dict[str, Any] = plistlib.loads(text.encode())
    return content
