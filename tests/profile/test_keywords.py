"""The settings as keyword arguments."""

from typing import get_type_hints

from mpsdoctor.profile.keywords import Settings
from mpsdoctor.profile.settings import Profile


def test_they_are_the_profiles_settings_with_their_types() -> None:
    """Each one but the version of the file; bounds of numbers are for the profile alone."""
    assert set(Profile.model_fields) - {"schema_version"} == set(Settings.__annotations__)
    hints = get_type_hints(Settings)
    for name, hint in get_type_hints(Profile).items():
        if name in hints:
            assert hint == hints[name], name
