"""Errors and warnings for the user."""

import types

import pytest

from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError, MpsDoctorWarning, did_you_mean, warn


def test_an_error_reads_as_title_detail_and_hint() -> None:
    """Each on its own line, without those that are empty; by default it is a finding."""
    error = MpsDoctorError("a", detail="b", hint="c", exit_code=ExitCode.USAGE)

    assert ("a\nb\nc", ("a",), ExitCode.USAGE) == (str(error), error.args, error.exit_code)
    assert "a\nc" == str(MpsDoctorError("a", hint="c"))
    assert ("", "", ExitCode.FINDINGS) == (
        MpsDoctorError("a").detail,
        MpsDoctorError("a").hint,
        MpsDoctorError("a").exit_code,
    )


def test_the_most_similar_name_is_suggested() -> None:
    """Spelled as it is written; without one the other hint is given."""
    known = ["width", "height", "widths"]

    assert "Did you mean width?" == did_you_mean("widht", iter(known), "None.")
    assert "Did you mean WIDTH?" == did_you_mean("widht", known, "None.", str.upper)
    assert "None." == did_you_mean("zzz", known, "None.", str.upper)


def test_the_exit_codes_are_these() -> None:
    """Scripts rely on them."""
    assert {"OK": 0, "FINDINGS": 1, "USAGE": 2, "INTERNAL": 3, "INTERRUPTED": 130} == {
        code.name: code.value for code in ExitCode
    }


def test_a_warning_names_the_users_line() -> None:
    """However deep in the package it comes from."""
    inside = types.ModuleType("mpsdoctor.somewhere")
    vars(inside)["warn"] = warn
    exec("def inner(): warn('text')\ndef outer(): inner()", vars(inside))

    for call in (inside.outer, lambda: warn("text")):
        with pytest.warns(MpsDoctorWarning, match="text") as caught:
            call()
        assert [__file__] == [one.filename for one in caught]
