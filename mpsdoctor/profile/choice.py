"""A tuned value and why it was chosen."""

from collections.abc import Mapping
from dataclasses import dataclass

Value = str | int | float | bool | list[str] | None
"""What a setting can hold. None leaves it to the model."""

ENVIRONMENT = "environment."
"""Settings of this prefix are environment variables: `environment.PYTORCH_…`."""


@dataclass(frozen=True)
class Choice:
    """One setting's value. `rule` names the rule that chose it, `sources` what it rests on.

    `facts` are what the rule looked at, of this machine, this model and what was chosen before.
    """

    value: Value
    reason: str
    rule: str
    sources: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()


Choices = Mapping[str, Choice]
"""Setting name to choice, in the order in which a profile lists them."""


def settings_of(choices: Choices) -> dict[str, Value | dict[str, str]]:
    """The keyword arguments of `Profile` that these choices are."""
    settings: dict[str, Value | dict[str, str]] = {
        name: choice.value for name, choice in choices.items() if not name.startswith(ENVIRONMENT)
    }
    settings["environment"] = {
        name.removeprefix(ENVIRONMENT): str(choice.value)
        for name, choice in choices.items()
        if name.startswith(ENVIRONMENT) and choice.value is not None
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
