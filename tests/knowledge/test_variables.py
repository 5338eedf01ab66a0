"""PyTorch's environment variables, as data."""

import pytest

from mpsdoctor.knowledge import dtypes, variables


def test_every_row_has_a_source() -> None:
    """Every row has a source."""
    rows = (*variables.load().variable, variables.load().watermark, *dtypes.load().model)
    assert all(row.sources for row in (*rows, dtypes.load().bfloat16))


def test_a_known_name_means_itself() -> None:
    """Every variable is most similar to itself, and an unrelated name to none."""
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
    """A ratio is read as by strtod, which silently ignores the rest."""
    assert (ratio, whole) == (variables.ratio(text), variables.is_ratio(text))
