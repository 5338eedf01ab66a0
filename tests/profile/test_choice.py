"""A tuned value and the reason for it."""

import pytest

from mpsdoctor.profile import choice
from mpsdoctor.profile.choice import Choice, Difference, Value

CHOICES = {
    "dtype": Choice("float16", "Half the memory. And 2.5 times as fast.", "dtype"),
    "width": Choice(None, "The model's own", "size"),
    "environment.A": Choice("1", "Measured with torch 2.13.0. 1.5 s a step.", "measured"),
    "environment.B": Choice(None, "Better not set.", "fallback"),
}


def test_the_first_sentence_is_the_short_reason() -> None:
    """Without its period; a number's period does not end it."""
    assert [one.short for one in CHOICES.values()] == [
        "Half the memory",
        "The model's own",
        "Measured with torch 2.13.0",
        "Better not set",
    ]
    assert [one.is_measured for one in CHOICES.values()] == [False, False, True, False]


def test_choices_are_arguments_of_a_profile() -> None:
    """Edits take precedence, variables are texts, and those that are not set are left out."""
    assert choice.settings_of(CHOICES) == {
        "dtype": "float16",
        "width": None,
        "environment": {"A": "1"},
    }
    edits: dict[str, Value] = {
        "width": 640,
        "environment.A": 0,
        "environment.B": "2",
        "prime": True,
    }
    assert choice.settings_of(CHOICES, edits) == {
        "dtype": "float16",
        "width": 640,
        "prime": True,
        "environment": {"A": "0", "B": "2"},
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "not set"), (False, "False"), (0, "0"), ("", ""), (["a"], "['a']"), (1.5, "1.5")],
)
def test_a_value_is_shown_as_text(value: Value, text: str) -> None:
    """Only None is "not set"."""
    assert choice.shown(value) == text


def test_differences_are_those_settings_that_differ() -> None:
    """In the order of ours, then of theirs; None and a missing setting are the same."""
    ours: dict[str, Value] = {"b": 1, "same": 1, "none": None, "a": 1}
    theirs: dict[str, Value] = {"new": 3, "a": 2, "same": 1, "null": None}
    assert choice.differences(ours, theirs) == [
        Difference("b", 1, None),
        Difference("a", 1, 2),
        Difference("new", None, 3),
    ]
