"""PyTorch's variables and models' number formats, as data."""

from typing import get_args

import pytest

from mpsdoctor.knowledge import dtypes, variables
from mpsdoctor.knowledge.versions import parse
from mpsdoctor.profile.settings import Profile


def test_every_row_has_a_source() -> None:
    """What is known is known from somewhere."""
    rows = (*variables.load().variable, variables.load().watermark, *dtypes.load().model)
    assert all(row.sources for row in (*rows, dtypes.load().bfloat16))


def test_a_known_name_means_itself() -> None:
    """No two variables are so alike that one is taken for the other."""
    for name in variables.known():
        assert variables.meant_by(name)[0] == name
    assert variables.meant_by("PYTORCH_MPS_XYZZY") == []


@pytest.mark.parametrize(
    ("text", "ratio", "whole"),
    [
        ("0.7", 0.7, True),
        (" .5e0 ", 0.5, True),
        ("-1", -1.0, True),
        ("1.7GB", 1.7, False),
        ("0,8", 0.0, False),
        ("off", 0.0, False),
        ("", 0.0, False),
    ],
)
def test_a_ratio_is_what_the_text_begins_with(text: str, ratio: float, whole: bool) -> None:
    """As strtod reads it, which drops the rest without a word."""
    assert (ratio, whole) == (variables.ratio(text), variables.is_ratio(text))


def test_formats_are_those_of_the_profile() -> None:
    """A finding says what can be written into the profile."""
    known = set(get_args(Profile.model_fields["dtype"].annotation))
    for row in dtypes.load().model:
        assert {row.use, *row.fails} <= known


@pytest.mark.parametrize(
    ("torch", "macos", "has"),
    [
        ("2.3.0", "14.0", True),
        ("2.2.2", "15.0", False),
        ("2.15.0", "13.6", False),
        (None, "15.0", None),
        ("2.9.1", None, None),
    ],
)
def test_bfloat16_came_with_macos_14(
    torch: str | None, macos: str | None, has: bool | None
) -> None:
    """Both versions must be known to say so."""
    assert dtypes.has_bfloat16(parse(torch), parse(macos)) is has
