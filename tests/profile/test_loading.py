"""A profile's layers."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.profile.document import Document
from mpsdoctor.profile.loading import Layers, Origin, combine, load, read_layers
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


UNKNOWN = "`mpsdoctor profile show` lists the settings."
WIDTH = "width: Picture width in pixels."
NUMBER = "Input should be a valid integer, unable to parse string as an integer"


@pytest.mark.parametrize(
    ("text", "environ", "arguments", "title", "detail", "hint"),
    [
        (
            'dtpye = "float32"', {}, {},
            "The profile has no setting dtpye", "It comes from {path}.", "Did you mean dtype?",
        ),
        (
            "zzz = 1", {}, {},
            "The profile has no setting zzz", "It comes from {path}.", UNKNOWN,
        ),
        (
            "", {"MPSDOCTOR_ATENTION": "sliced"}, {},
            "The profile has no setting MPSDOCTOR_ATENTION", "It comes from the environment.",
            "Did you mean MPSDOCTOR_ATTENTION?",
        ),
        (
            "", {}, {"zzz": 1},
            "The profile has no setting zzz", "It comes from the arguments.", UNKNOWN,
        ),
        (
            'dtype = "half"', {}, {},
            "dtype cannot be 'half'",
            "Input should be 'float16', 'bfloat16' or 'float32'. It comes from {path}.",
            "dtype: Number format of the weights.",
        ),
        (
            "width = 500\nheight = 500", {}, {},
            "width cannot be 500", "Input should be a multiple of 8. It comes from {path}.", WIDTH,
        ),
        (
            "", {"MPSDOCTOR_WIDTH": "wide"}, {},
            "MPSDOCTOR_WIDTH cannot be 'wide'", f"{NUMBER}. It comes from the environment.", WIDTH,
        ),
        (
            "width = 512", {"MPSDOCTOR_WIDTH": "512"}, {"width": "wide"},
            "width cannot be 'wide'", f"{NUMBER}. It comes from the arguments.", WIDTH,
        ),
        (
            "", {"MPSDOCTOR_ENVIRONMENT": "A=1"}, {},
            "A variable MPSDOCTOR_… cannot be read",
            "Expecting value: line 1 column 1 (char 0)",
            'Table settings must be JSON: MPSDOCTOR_ENVIRONMENT=\'{"A": "1"}\'',
        ),
        (
            "environment = 3", {}, {},
            "environment cannot be 3",
            "Input should be a valid dictionary. It comes from {path}.",
            "environment: Environment variables that torch reads when it is imported or first "
            "used.",
        ),
        (
            "schema_version = 2", {}, {},
            "schema_version cannot be 2", "Input should be 1. It comes from {path}.",
            "schema_version: Version of this file's keys.",
        ),
        (
            "dtype = ", {}, {},
            "The profile is not valid TOML",
            "{path}: Invalid value (at end of document)",
            "Fix that line, or delete the file and run `mpsdoctor check` to write a new one.",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_what_was_probably_meant(
    tmp_path: Path,
    text: str,
    environ: dict[str, str],
    arguments: dict[str, object],
    title: str,
    detail: str,
    hint: str,
) -> None:
    """No layer's unknown key or impossible value is ignored."""
    path = tmp_path / "profile.toml"
    path.write_text(text)
    expected = (title, detail.replace("{path}", str(path)), hint)

    for read in (partial(load, Profile), read_layers):
        with pytest.raises(MpsDoctorError) as refused:
            read(path, environ, arguments)
        assert (refused.value.title, refused.value.detail, refused.value.hint) == expected


def refused(path: Path, environ: dict[str, str]) -> tuple[str, str, str]:
    """Title, detail and hint."""
    with pytest.raises(MpsDoctorError) as error:
        load(Profile, path, environ)
    return error.value.title, error.value.detail, error.value.hint


def test_a_file_that_is_not_there_has_its_next_step(tmp_path: Path) -> None:
    """Without a profile nothing renders by accident; a named file is probably misspelled."""
    path = tmp_path / "my profile.toml"
    assert refused(path, {"MPSDOCTOR_PROFILE_FILE": str(path)}) == (
        "There is no profile yet",
        f"Looked for {path}",
        "Run `mpsdoctor check` to examine this machine and write one.",
    )
    assert refused(path, {"MPSDOCTOR_PROFILE_FILE": str(tmp_path)}) == (
        f"There is no profile {path}",
        "No file has this name.",
        f"Check the name. To write a profile there: mpsdoctor check --profile '{path}'",
    )


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A folder, a device, and a file whose content the disk refuses."""
    for path in (tmp_path, Path("/dev/null")):
        assert refused(path, {}) == (
            "The profile is not a file",
            f"{path} is a folder or a device.",
            "Name a file with --profile FILE or MPSDOCTOR_PROFILE_FILE.",
        )
    memory = Path("/proc/self/mem")  # an ordinary file by its type, of which no byte can be read
    if memory.exists():
        title, detail, hint = refused(memory, {})
        assert (title, hint) == (
            "The profile cannot be read", f"Check the permissions of {memory}."
        )  # fmt: skip
        assert "Input/output error" in detail


def test_layers_stay_apart_until_they_are_combined(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each layer has what was written there; a model's folder has its absolute path."""
    monkeypatch.chdir(file.parent)
    environ = {"MPSDOCTOR_MODEL": ".", "MPSDOCTOR_PROFILE_FILE": "x", "MPS_X": "1"}
    layers = read_layers(file, environ, {"width": 1024, "models": ["."]})

    folder = str(file.parent)
    of_file = {"device": "cpu", "dtype": "float32", "width": 512, "environment": {"PYTORCH_X": "1"}}
    assert layers == Layers(
        file, of_file, {"model": folder}, {"width": 1024, "models": ["."]}
    )  # fmt: skip
    assert layers.model == folder
    assert layers.in_force == of_file | {"model": folder, "width": 1024, "models": ["."]}
    assert list(layers.by_origin) == [Origin.FILE, Origin.ENVIRONMENT, Origin.ARGUMENT]
    assert layers.document.written["width"] == 512
    nothing = read_layers(None, {})
    assert nothing == Layers(None, {}, {}, {})
    assert (nothing.model, nothing.document) == ("shapes", Document())


def test_each_value_has_its_origin(file: Path) -> None:
    """A later layer wins, and every setting is listed."""
    layers: dict[Origin, dict[str, Any]] = {
        Origin.FILE: {"width": 512, "dtype": "float32"},
        Origin.TUNED: {"width": 640, "prime": True},
    }
    loaded = combine(Profile, layers, file)
    assert loaded.profile == Profile(width=640, dtype="float32", prime=True)
    assert loaded.origins == dict.fromkeys(Profile.model_fields, Origin.DEFAULT) | {
        "width": Origin.TUNED,
        "dtype": Origin.FILE,
        "prime": Origin.TUNED,
    }
    with pytest.raises(MpsDoctorError, match="It comes from the tuned settings"):
        combine(Profile, {Origin.TUNED: {"zzz": 1}}, None)


def test_activate_sets_what_the_user_has_not(tmp_path: Path) -> None:
    """The profile's variables fill gaps; the user's own stay."""
    environ = {"A": "mine"}

    Profile(environment={"A": "1", "B": "2"}).activate(environ)

    assert environ == {"A": "mine", "B": "2"}
