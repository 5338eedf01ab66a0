"""Lines of the profile's file."""

from typing import Any

import pytest

from mpsdoctor.profile import toml
from mpsdoctor.profile.choice import Value


@pytest.mark.parametrize(
    ("name", "content", "reason", "line"),
    [
        ("width", 640, "", "width = 640"),
        ("width", None, "Why", "width = not set  # Why"),
        ("prime", True, "Why not", "prime = true  # Why not"),
        ("environment.A_1", "1", "", 'environment.A_1 = "1"'),
        ("environment.A B", 'say "x"', "", r'environment."A B" = "say \"x\""'),
        ("ignore", ["a", "b"], "a\tb\nc\x7fd\u2028e\ud800f", 'ignore = ["a", "b"]  # a b c d e f'),
        ("model", "x" * 83, "12", f'model = "{"x" * 83}"'),
        ("model", "x" * 82, "123", f'model = "{"x" * 82}"  # 123'),
        ("model", "x" * 82, "12 4", f'model = "{"x" * 82}"  # …'),
        ("model", "x" * 81, "12 45", f'model = "{"x" * 81}"  # 12 …'),
    ],
)
def test_a_line_has_as_much_of_the_reason_as_fits(
    name: str, content: Value, reason: str, line: str
) -> None:
    """At most 99 columns, unless the value is longer; comments have no control characters."""
    assert toml.line(name, content, reason) == line


@pytest.mark.parametrize(
    ("settings", "flat"),
    [
        ({}, {}),
        ({"a": 1}, {"a": 1}),
        ({"a": 1, "environment": {"B": "2"}}, {"a": 1, "environment.B": "2"}),
        ({"environment": 3, "a": 1}, {"environment": 3, "a": 1}),
    ],
)
def test_a_variable_is_a_setting(settings: dict[str, Any], flat: dict[str, Any]) -> None:
    """A value that is not a table stays as it is, and nothing is changed in place."""
    before = {**settings}
    assert (toml.flat(settings), settings) == (flat, before)
