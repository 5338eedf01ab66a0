"""The settings of a profile, each with its origin and its reason."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from mpsdoctor.cli import output
from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError, did_you_mean
from mpsdoctor.knowledge.sources import address
from mpsdoctor.profile.choice import ENVIRONMENT, Choice, Choices, Value, shown
from mpsdoctor.profile.document import Document
from mpsdoctor.profile.loading import Loaded, Origin
from mpsdoctor.profile.settings import Profile

_INDENT = 12


@dataclass(frozen=True)
class Setting:
    """A value in effect, and why.

    `choice` is the tuned value with its evidence, if that is known. `tuned` is the tuned value that
    a value set by hand replaces.
    """

    name: str
    value: Value
    origin: Origin
    reason: str
    choice: Choice | None = None
    by_hand: bool = False
    tuned: Value = None


def settings(loaded: Loaded[Profile], file: Document, choices: Choices) -> dict[str, Setting]:
    """The settings of the `loaded` profile `file`; the keys are their names.

    `choices` are what tuning gives for the same machine and model, with rules, facts and sources.
    A choice that differs from what the file says was tuned does not explain its value.
    """
    found = (
        _setting(name, value, loaded, file, choices)
        for name, value in _values(loaded, file, choices)
    )
    return {setting.name: setting for setting in found}


def named(known: dict[str, Setting], names: tuple[str, ...]) -> list[Setting]:
    """The settings with these names. Raises MpsDoctorError if there is no such setting."""
    for name in names:
        if name not in known:
            raise MpsDoctorError(
                f"The profile has no setting {name}",
                hint=did_you_mean(name, list(known), "`mpsdoctor profile show` lists them."),
                exit_code=ExitCode.USAGE,
            )
    return [known[name] for name in names]


def table(known: dict[str, Setting]) -> Table:
    """One line per setting; variables that are not set are left out."""
    rows = (
        (one.name, shown(one.value), one.origin.value, one.reason)
        for one in known.values()
        if one.value is not None or one.name in Profile.model_fields
    )
    return output.table(("setting", "value", "from", "reason"), rows)


def in_full(one: Setting) -> Text:
    """A setting with its rule, the facts that the rule used, and the evidence with addresses."""
    origin = one.origin.value
    if one.by_hand:
        origin += f", set by hand; tuned: {shown(one.tuned)}"
    lines = {
        "value": [shown(one.value)],
        "from": [origin],
        "rule": [one.choice.rule if one.choice else ""],
        "facts": [", ".join(one.choice.facts) if one.choice else ""],
        "reason": [one.reason],
        "evidence": [_evidence(source) for source in one.choice.sources] if one.choice else [],
    }
    page = Text(one.name, style="bold")
    for title, parts in lines.items():
        for number, part in enumerate(filter(None, parts)):
            page.append(f"\n  {'' if number else title:<{_INDENT}}{part}", style="not bold")
    return page


def _values(
    loaded: Loaded[Profile], file: Document, choices: Choices
) -> Iterator[tuple[str, Value]]:
    """Every setting, and every environment variable that is or could be set."""
    for name in Profile.model_fields:
        value = getattr(loaded.profile, name)
        if name == "environment":
            known = (one for one in (*choices, *file.tuned) if one.startswith(ENVIRONMENT))
            for variable in dict.fromkeys((*known, *(ENVIRONMENT + one for one in value))):
                yield variable, value.get(variable.removeprefix(ENVIRONMENT))
        elif name != "schema_version":
            yield name, value


def _setting(
    name: str, value: Value, loaded: Loaded[Profile], file: Document, choices: Choices
) -> Setting:
    origin = loaded.origins["environment" if name.startswith(ENVIRONMENT) else name]
    explained = origin in (Origin.FILE, Origin.TUNED, Origin.DEFAULT)
    by_hand = origin is Origin.FILE and name in file.edits
    choice = choices.get(name) if explained else None
    is_tuned_now = Origin.TUNED in loaded.origins.values()
    tuned = choice.value if choice and is_tuned_now else file.tuned.get(name)
    if choice and choice.value != (tuned if by_hand else value):
        choice = None
    return Setting(
        name=name.removeprefix(ENVIRONMENT),
        value=value,
        origin=origin,
        reason=choice.reason if choice else _without_choice(name, origin, file),
        choice=choice,
        by_hand=by_hand,
        tuned=tuned if by_hand else None,
    )


def _without_choice(name: str, origin: Origin, file: Document) -> str:
    """The reason in the file, or a description: a value set by hand may have another's reason."""
    if origin is Origin.FILE and name in file.reasons and name not in file.edits:
        return file.reasons[name]
    field = Profile.model_fields.get(name)
    return (field.description if field else None) or ""


def _evidence(source: str) -> str:
    link = address(source)
    return source if link in (None, source) else f"{source}: {link}"
