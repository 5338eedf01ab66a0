"""Where things are on disk."""

import os
import pwd
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from mpsdoctor import paths
from mpsdoctor.errors import MpsDoctorError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, as on Linux without settings."""
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def without_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a variable nor the user database names one."""

    def unknown(_user: object) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.delenv("HOME")
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        monkeypatch.delenv(name)


def test_the_profile_is_where_a_variable_or_an_option_says(home: Path) -> None:
    """An empty variable counts as none; a relative path is made absolute, links are kept."""
    usual = Path(platformdirs.user_config_dir("mpsdoctor")) / "profile.toml"

    assert usual.is_relative_to(home)
    assert usual == paths.profile_file({}) == paths.profile_file({"MPSDOCTOR_PROFILE_FILE": ""})
    named = {"MPSDOCTOR_PROFILE_FILE": "~/p.toml"}
    assert home / "p.toml" == paths.profile_file(named) == paths.profile_path(None, named)
    assert Path.cwd() / "q.toml" == paths.profile_path(Path("q.toml"), named)
    assert home / "q.toml" == paths.find_profile(Path("~/q.toml"), named)
    assert home / "a/profile.facts.json" == paths.facts_file(home / "a/profile.toml")


def test_each_kind_of_file_is_in_its_own_folder(home: Path) -> None:
    """Settings, state, cache and log, by the platform's rules."""
    assert [
        Path(platformdirs.user_state_dir("mpsdoctor")) / "undo.json",
        Path(platformdirs.user_cache_dir("mpsdoctor")) / "plans",
        Path(platformdirs.user_log_dir("mpsdoctor")) / "daemon.log",
    ] == [paths.undo_file(), paths.plans_folder(), paths.log_file()]


def test_a_model_is_a_folder_only_if_it_is_there(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedded model is never one, even beside a folder of that name."""
    monkeypatch.chdir(home)
    (home / "shapes").mkdir()
    (home / "org" / "model").mkdir(parents=True)
    (home / "file").touch()

    names = ["shapes", "org/model", "~/org/model", "./shapes", "org/other", "file"]
    assert [paths.model_name(name) for name in names] == [
        "shapes",
        str(home / "org/model"),
        str(home / "org/model"),
        str(home / "shapes"),
        "org/other",
        "file",
    ]


@pytest.mark.usefixtures("without_home")
@pytest.mark.parametrize(
    ("find", "sought"),
    [
        (lambda: paths.profile_file({}), "the profile"),
        (paths.undo_file, "the undo record"),
        (paths.plans_folder, "the cache"),
        (paths.log_file, "the log"),
        (lambda: paths.expand("~/a"), "~/a"),
    ],
)
def test_without_a_home_directory_the_error_says_what_is_sought(
    find: Callable[[], Path], sought: str
) -> None:
    """And how to name a place; whatever needs no home is found."""
    with pytest.raises(MpsDoctorError) as refused:
        find()

    assert refused.value.title == (
        f"Cannot find {sought}: there is no home directory"
        if sought == "~/a"
        else refused.value.title
    )
    assert refused.value.title.endswith(": there is no home directory")
    assert refused.value.detail
    assert refused.value.hint == "Set the environment variable HOME, or use an absolute path."
    assert Path("/a") == paths.expand("/b/../a")


@pytest.mark.usefixtures("without_home")
def test_without_a_home_directory_a_profile_may_be_unknown_and_a_model_is_a_name() -> None:
    """An examination has to work there, too."""
    assert None is paths.find_profile(None, {})
    assert Path("/p.toml") == paths.find_profile(Path("/p.toml"), {})
    assert "~/model" == paths.model_name("~/model")
