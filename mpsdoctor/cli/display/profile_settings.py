"""The settings of a profile, each with where it comes from and why."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from mpsdoctor.cli import output
from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError, did_you_mean
from mpsdoctor.knowledge.sources import address
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import ENVIRONMENT, Value, shown
from mpsdoctor.profile.document import Document, Explanation
from mpsdoctor.profile.loading import Loaded, Origin, load
from mpsdoctor.profile.settings import Profile

_INDENT = 12


@dataclass(frozen=True)
class Setting:
    """What is in force, and why. `tuned` is what a value set by hand stands in the place of."""

    name: str
    value: Value
    origin: Origin
    why: Explanation
    by_hand: bool = False
    tuned: Value = None


def settings(path: Path) -> dict[str, Setting]:
    """Those of the profile at `path` and of the variables `MPSDOCTOR_…`, by name.

    Raises MpsDoctorError where they are not understood.
    """
    loaded = load(Profile, path, os.environ)
    file = document.read(path.read_text("utf-8"))
    return {setting.name: setting for setting in _settings(loaded, file)}


def named(known: dict[str, Setting], names: tuple[str, ...]) -> list[Setting]:
    """Raises MpsDoctorError where a name is none of a setting."""
    for name in names:
        if name not in known:
            raise MpsDoctorError(
                f"The profile has no setting {name}",
                hint=did_you_mean(name, list(known), "`mpsdoctor profile show` lists them."),
                exit_code=ExitCode.USAGE,
            )
    return [known[name] for name in names]


def table(known: dict[str, Setting]) -> Table:
    """A line each; variables that are not set are left out."""
    rows = (
        (one.name, shown(one.value), one.origin.value, one.why.reason)
        for one in known.values()
        if one.value is not None or one.name in Profile.model_fields
    )
    return output.table(("setting", "value", "from", "reason"), rows)


def in_full(one: Setting) -> Text:
    """The rule, the facts that it looked at, and the evidence with its addresses."""
    origin = one.origin.value
    if one.by_hand:
        origin += f", set by hand; tuned: {shown(one.tuned)}"
    lines = {
        "value": [shown(one.value)],
        "from": [origin],
        "rule": [one.why.rule],
        "facts": [one.why.facts],
        "reason": [one.why.reason],
        "evidence": [_evidence(source) for source in one.why.sources],
    }
    page = Text(one.name, style="bold")
    for title, parts in lines.items():
        for number, part in enumerate(filter(None, parts)):
            page.append(f"\n  {'' if number else title:<{_INDENT}}{part}", style="not bold")
    return page


def _settings(loaded: Loaded[Profile], file: Document) -> Iterator[Setting]:
    for name, field in Profile.model_fields.items():
        value, origin = getattr(loaded.profile, name), loaded.origins[name]
        if name == "environment":
            variables = (one for one in file.reasons if one.startswith(ENVIRONMENT))
            for variable in dict.fromkeys((*variables, *(ENVIRONMENT + key for key in value))):
                short = variable.removeprefix(ENVIRONMENT)
                yield _setting(short, value.get(short), origin, file, variable, "")
        elif name != "schema_version":
            yield _setting(name, value, origin, file, name, field.description or "")


def _setting(
    name: str, value: Value, origin: Origin, file: Document, key: str, description: str
) -> Setting:
    """The file's reason is one for the file's value only, or for none."""
    reason = file.reasons.get(key) if origin is Origin.FILE or value is None else None
    return Setting(
        name=name,
        value=value,
        origin=origin,
        why=document.explanation(reason or description),
        by_hand=origin is Origin.FILE and key in file.edits and key in file.tuned,
        tuned=file.tuned.get(key),
    )


def _evidence(source: str) -> str:
    link = address(source)
    return source if link in (None, source) else f"{source}: {link}"
