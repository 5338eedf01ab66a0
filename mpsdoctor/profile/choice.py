"""A tuned value and why it was chosen."""

from collections.abc import Mapping
from dataclasses import dataclass

Value = str | int | float | bool | list[str] | None
"""What a setting can hold. None leaves it to the model."""

ENVIRONMENT = "environment."
"""Settings of this prefix are environment variables: `environment.PYTORCH_…`."""

MEASURED_WITH = "Measured with "
"""Begins the reason of what was measured; the releases that it holds for follow."""


@dataclass(frozen=True)
class Choice:
    """One setting's value. `rule` names the rule that chose it, `sources` what it rests on.

    The first sentence of `reason` stands behind the value in the profile's file, where there is
    room for 40 to 75 characters. `facts` are what the rule looked at, of this machine, this model
    and what was chosen before.
    """

    value: Value
    reason: str
    rule: str
    sources: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """The first sentence of the reason, without its full stop."""
        return self.reason.partition(". ")[0].removesuffix(".")

    @property
    def is_measured(self) -> bool:
        """Whether `mpsdoctor tune` measured it; if not, a rule chose it."""
        return self.reason.startswith(MEASURED_WITH)


Choices = Mapping[str, Choice]
"""Setting name to choice, in the order in which a profile lists them."""


def settings_of(
    choices: Choices, edits: Mapping[str, Value] | None = None
) -> dict[str, Value | dict[str, str]]:
    """The keyword arguments of `Profile` that these choices are, under the user's own `edits`."""
    values = {name: choice.value for name, choice in choices.items()} | dict(edits or {})
    return nested(values)


def nested(values: Mapping[str, Value]) -> dict[str, Value | dict[str, str]]:
    """Settings by name, with the environment variables in a dictionary of their own."""
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
    """As text; None is a value of its own."""
    return "not set" if value is None else str(value)


@dataclass(frozen=True)
class Difference:
    """One setting; None is one that is not set."""

    setting: str
    ours: Value
    theirs: Value


def differences(ours: Mapping[str, Value], theirs: Mapping[str, Value]) -> list[Difference]:
    """Every setting with another value, in the order of ours, then of theirs."""
    names = dict.fromkeys((*ours, *theirs))
    return [
        Difference(name, ours.get(name), theirs.get(name))
        for name in names
        if ours.get(name) != theirs.get(name)
    ]
