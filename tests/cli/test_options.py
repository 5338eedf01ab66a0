"""How commands read what several of them take."""

from pathlib import Path

import pytest

from mpsdoctor.cli import main
from mpsdoctor.cli.options import model_name
from mpsdoctor.constants import ExitCode

SDXL = "stabilityai/stable-diffusion-xl-base-1.0"


@pytest.mark.parametrize(
    "text", [SDXL, f"https://huggingface.co/{SDXL}", f"hf.co/{SDXL}/tree/main?not-for-all=1"]
)
def test_a_page_on_the_hub_is_its_model(text: str) -> None:
    """What is pasted from a browser names the model too."""
    assert SDXL == model_name(text)


def test_a_folder_is_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one in the home directory, or that reads like an id: as Diffusers takes it."""
    (tmp_path / "org" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    named = [model_name(text) for text in ("org/name", "./org/name/", "~/org/name")]

    assert [str(tmp_path / "org" / "name")] * 3 == named


@pytest.mark.parametrize("model", ["./nope", "~/nope", "/nope", "sdxl", "a/b/c", ""])
@pytest.mark.parametrize(
    "command", [["check", "--model"], ["tune"], ["plan"], ["pull"], ["render", "red", "--model"]]
)
def test_no_command_takes_for_a_model_what_is_none(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    model: str,
) -> None:
    """It is a usage error that says what was expected, and nothing is written."""
    profile = tmp_path / "profile.toml"
    monkeypatch.setenv("MPSDOCTOR_PROFILE_FILE", str(profile))

    assert ExitCode.USAGE is main.run([*command, model])

    looks_like_a_path = model[:1] in (".", "~", "/") and model
    error = (
        f"There is no folder {model}."
        if looks_like_a_path
        else f"{model!r} is not a folder, and not a Hugging Face id such as ORG/NAME. The embedded "
        "model is called shapes."
    )
    [*_, last] = capsys.readouterr().err.splitlines()
    parameter = "--model" if "--model" in command else "MODEL"
    assert last == f"Error: Invalid value for '{parameter}': {error}".replace(
        "'MODEL'", "'[MODEL]'" if command == ["tune"] else "'MODEL'"
    )
    assert [] == list(tmp_path.iterdir())
