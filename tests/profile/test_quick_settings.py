"""The part of the profile that a check reads."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tomlkit import dumps

from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.paths import model_name
from mpsdoctor.profile.loading import load
from mpsdoctor.profile.quick_settings import QuickSettings, read
from mpsdoctor.profile.settings import Profile

words = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8)
settings = st.fixed_dictionaries(
    {},
    optional={
        "model": words | st.sampled_from(["~", ".", "~/..", "shapes"]),
        "dtype": st.sampled_from(["float16", "bfloat16", "float32", "float8"]),
        "hot_folder": words,
        "ignore": st.lists(words, max_size=2),
        "environment": st.dictionaries(words, words, max_size=2),
    },
)


@given(settings, settings)
def test_it_is_what_the_whole_profile_says(
    tmp_path_factory: pytest.TempPathFactory, file: dict[str, object], variables: dict[str, object]
) -> None:
    """It has the values of the full profile, or the defaults if that is invalid."""
    path = tmp_path_factory.mktemp("profile") / "profile.toml"
    path.write_text(dumps(file), encoding="utf-8")
    environ = {
        f"MPSDOCTOR_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in variables.items()
    }
    try:
        whole, understood = load(Profile, path, environ).profile, True
    except MpsDoctorError:
        whole, understood = Profile(), False
    expected = {name: getattr(whole, name) for name in QuickSettings.__struct_fields__}
    is_files = whole.model == model_name(str(file.get("model", EMBEDDED_MODEL)))
    if understood and not is_files and "dtype" not in variables:
        expected["dtype"] = None  # a setting of the file's model

    assert msgspec.convert(expected, QuickSettings) == read(path, environ)


def test_where_nothing_is_said_the_defaults_count(tmp_path: Path) -> None:
    """A missing or unreadable profile is not an error here."""
    broken = tmp_path / "profile.toml"
    broken.write_text("model = ", encoding="utf-8")

    assert QuickSettings() == read(tmp_path / "absent.toml", {}) == read(broken, {})
    variables = {"MPSDOCTOR_HOT_FOLDER": "/prompts"}
    for path in (None, tmp_path / "absent.toml"):
        assert QuickSettings(hot_folder="/prompts") == read(path, variables)
    assert QuickSettings() == read(tmp_path, variables)


def test_a_number_format_is_not_judged_for_a_model_that_was_written_into_the_file(
    tmp_path: Path,
) -> None:
    """A format tuned for the previous model is dropped; one that was set by hand stays."""
    path = tmp_path / "profile.toml"
    record = '# Tuned: model="shapes", dtype="float16"\n'
    path.write_text(f'model = "org/other"\ndtype = "float16"\n{record}')
    assert None is read(path, {}).dtype
    path.write_text(f'model = "org/other"\ndtype = "float32"\n{record}')
    assert "float32" == read(path, {}).dtype
    path.write_text(f'model = "shapes"\ndtype = "float16"\n{record}')
    assert "float16" == read(path, {}).dtype
