"""A profile's layers."""

from pathlib import Path

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.profile.loading import Origin, load
from mpsdoctor.profile.settings import Profile


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A profile with three settings."""
    path = tmp_path / "profile.toml"
    path.write_text(
        'device = "cpu"\ndtype = "float32"\nwidth = 512\n[environment]\nPYTORCH_X = "1"\n'
    )
    return path


def test_arguments_override_environment_overrides_file_overrides_defaults(file: Path) -> None:
    """Each value comes from the layer with the highest precedence, which is named."""
    loaded = load(
        Profile,
        file,
        {"MPSDOCTOR_DTYPE": "bfloat16", "MPSDOCTOR_WIDTH": "768", "HOME": "/home/u"},
        {"width": 1024},
    )

    assert (
        loaded.profile.device,
        loaded.profile.dtype,
        loaded.profile.width,
        loaded.profile.height,
    ) == ("cpu", "bfloat16", 1024, None)
    assert loaded.profile.environment == {"PYTORCH_X": "1"}
    assert tuple(loaded.origins[name] for name in ("device", "dtype", "width", "height")) == (
        Origin.FILE,
        Origin.ENVIRONMENT,
        Origin.ARGUMENT,
        Origin.DEFAULT,
    )


def test_the_process_environment_is_not_read_behind_the_callers_back(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the environment that is passed in counts."""
    monkeypatch.setenv("MPSDOCTOR_DTYPE", "bfloat16")

    assert load(Profile, file, {}).profile.dtype == "float32"


@pytest.mark.parametrize(
    ("text", "environ", "arguments", "title", "hint"),
    [
        ('dtpye = "float32"', {}, {}, "The profile has no setting dtpye", "Did you mean dtype?"),
        (
            "",
            {"MPSDOCTOR_ATENTION": "sliced"},
            {},
            "The profile has no setting MPSDOCTOR_ATENTION",
            "Did you mean MPSDOCTOR_ATTENTION?",
        ),
        ("", {}, {"zzz": 1}, "The profile has no setting zzz", "lists the settings"),
        ('dtype = "half"', {}, {}, "dtype cannot be 'half'", "Number format"),
        ("width = 500", {}, {}, "width cannot be 500", "Picture width"),
        ("", {"MPSDOCTOR_WIDTH": "wide"}, {}, "MPSDOCTOR_WIDTH cannot be 'wide'", "Picture width"),
        ("", {"MPSDOCTOR_ENVIRONMENT": "A=1"}, {}, "A variable MPSDOCTOR_… cannot be read", "JSON"),
        ("environment = 3", {}, {}, "environment cannot be 3", "Environment variables"),
        ("schema_version = 2", {}, {}, "schema_version cannot be 2", "Version"),
        ("dtype = ", {}, {}, "The profile is not valid TOML", "Fix that line"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_was_probably_meant(
    tmp_path: Path,
    text: str,
    environ: dict[str, str],
    arguments: dict[str, object],
    title: str,
    hint: str,
) -> None:
    """No layer's unknown key or impossible value is ignored."""
    path = tmp_path / "profile.toml"
    path.write_text(text)

    with pytest.raises(MpsDoctorError) as refused:
        load(Profile, path, environ, arguments)

    assert title == refused.value.title
    assert hint in refused.value.hint


def test_without_a_file_the_next_step_is_check(tmp_path: Path) -> None:
    """Without a profile, nothing renders by accident with untuned settings."""
    path = tmp_path / "profile.toml"
    with pytest.raises(MpsDoctorError, match="no profile yet") as refused:
        load(Profile, path, {"MPSDOCTOR_PROFILE_FILE": str(path)})
    assert "mpsdoctor check" in refused.value.hint


def test_a_file_that_was_named_is_said_not_to_be_there(tmp_path: Path) -> None:
    """The hint repeats the name: a plain check would write to another place."""
    path = tmp_path / "my profile.toml"
    with pytest.raises(MpsDoctorError, match=r"There is no profile .*/my profile\.toml") as refused:
        load(Profile, path, {})
    assert f"mpsdoctor check --profile '{path}'" in refused.value.hint


def test_activate_sets_what_the_user_has_not(tmp_path: Path) -> None:
    """The profile's variables fill gaps; the user's own stay."""
    environ = {"A": "mine"}

    Profile(environment={"A": "1", "B": "2"}).activate(environ)

    assert environ == {"A": "mine", "B": "2"}
