"""Errors and warnings for the user."""

import types

import pytest

from mpsdoctor.errors import MpsDoctorWarning, warn


def test_a_warning_names_the_users_line() -> None:
    """However deep in the package it comes from."""
    inside = types.ModuleType("mpsdoctor.somewhere")
    vars(inside)["warn"] = warn
    exec("def inner(): warn('text')\ndef outer(): inner()", vars(inside))

    for call in (inside.outer, lambda: warn("text")):
        with pytest.warns(MpsDoctorWarning, match="text") as caught:
            call()
        assert [__file__] == [one.filename for one in caught]
