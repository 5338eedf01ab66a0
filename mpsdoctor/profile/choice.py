"""A tuned value and the reason for it."""

from collections.abc import Mapping
from dataclasses import dataclass

Value = str | int | float | bool | list[str] | None
"""The values of a setting. None leaves it to the model."""

ENVIRONMENT = "environment."
"""Settings with this prefix are environment variables: `environment.PYTORCH_…`."""

MEASURED_WITH = "Measured with "
"""Starts the reason of a measured value; the releases that it applies to follow."""


@dataclass(frozen=True)
class Choice:
    """One setting's value. `rule` names the rule that chose it, `sources` the evidence.

    The first sentence of `reason` is the comment after the value in the profile's file, which has
    room for 40 to 75 characters. `facts` are what the rule looked at: facts of this machine, of
    this model, and earlier choices.
    """

    value: Value
    reason: str
    rule: str
    sources: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """The first sentence of the reason, without its period."""
        return self.reason.partition(". ")[0].removesuffix(".")

    @property
    def is_measured(self) -> bool:
        """Whether `mpsdoctor tune` measured the value; otherwise a rule chose it."""
        return self.reason.startswith(MEASURED_WITH)


Choices = Mapping[str, Choice]
"""Choices by setting name, in the order of the profile's file."""


def settings_of(
    choices: Choices, edits: Mapping[str, Value] | None = None
) -> dict[str, Value | dict[str, str]]:
    """These choices as keyword arguments of `Profile`; the user's `edits` take precedence."""
    values = {name: choice.value for name, choice in choices.items()} | dict(edits or {})
    return nested(values)


def nested(values: Mapping[str, Value]) -> dict[str, Value | dict[str, str]]:
    """Settings by name, with the environment variables in a separate dictionary."""
    settings: dict[str, Value | dict[str, str]] = {
        name: value for name, value in values.items() if not name.startswith(ENVIRONMENT)
    }
    settings["environment"] = {
        name.removeprefix(ENVIRONMENT): str(value)
        for name, value in values.items()
        if name.startswith(ENVIRONMENT) and value is not None
    }
    return settings


def shown(value: Value) -> str:
    """The value as text; None is "not set"."""
    return "not set" if value is None else str(value)


@dataclass(frozen=True)
class Difference:
    """One setting with two values; None means not set."""

    setting: str
    ours: Value
    theirs: Value


def differences(ours: Mapping[str, Value], theirs: Mapping[str, Value]) -> list[Difference]:
    """Every setting that differs, in the order of `ours`, then of `theirs`."""
    names = dict.fromkeys((*ours, *theirs))
    return [
        Difference(name, ours.get(name), theirs.get(name))
        for name in names
        if ours.get(name) != theirs.get(name)
    ]
