"""The settings for one model on one machine, from the profile, the facts and the user."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace as with_fields
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.records import Facts, ProbeOutcome, Torch
from mpsdoctor.profile import document
from mpsdoctor.profile.loading import Layers, Origin, read_layers
from mpsdoctor.profile.settings import MODEL_SETTINGS, Profile
from mpsdoctor.tuning.for_model import settings_for, tune_for
from mpsdoctor.tuning.host import Host
from mpsdoctor.units import GIB
from tests.support.machines import MACHINES

SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
FLUX = "black-forest-labs/FLUX.1-dev"
MAC = "m2-max-macos-26.3.1-torch-2.10.0"


@pytest.fixture
def mac() -> Facts:
    """A recorded Mac, with a torch that finds its GPU and 32 GiB of memory."""
    facts = msgspec.json.decode((MACHINES / f"{MAC}.json").read_bytes(), type=Facts)
    torch = Torch(
        outcome=ProbeOutcome.ANSWERED, version="2.14.1", mps_built=True, mps_available=True
    )
    return replace(facts, torch=torch, hardware=replace(facts.hardware, ram_bytes=32 * GIB))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A disk with no models, where nothing is traced."""

    def run(command: Any, _seconds: float) -> CommandResult:
        raise AssertionError(f"nothing is to be run, least of all {command}")

    @contextmanager
    def busy(_line: str) -> Iterator[None]:
        yield

    home = {"HOME": str(tmp_path)}
    return Host(home, tmp_path, tmp_path / "plans", run, lambda _line: None, busy)


Write = Callable[..., Layers]


@pytest.fixture
def write(tmp_path: Path, mac: Facts, host: Host) -> Write:
    """The layers of a profile that was tuned for `model` on that Mac, then edited by hand."""

    def layers(
        model: str = "shapes",
        edits: dict[str, Any] | None = None,
        environ: dict[str, str] | None = None,
        **arguments: Any,
    ) -> Layers:
        path = tmp_path / "profile.toml"
        path.write_text(document.write(tune_for(model, mac, host).choices, edits or {}, "a Mac"))
        return read_layers(path, environ or {}, arguments)

    return layers


@pytest.fixture
def settings(mac: Facts, host: Host) -> Callable[..., Profile]:
    """What a model is rendered with."""

    def of(layers: Layers, model: str | None = None) -> Profile:
        return settings_for(Profile, model, layers, lambda: mac, host).loaded.profile

    return of


def tuned(model: str, mac: Facts, host: Host) -> dict[str, Any]:
    return {name: one.value for name, one in tune_for(model, mac, host).choices.items()}


@pytest.mark.parametrize("model", [SDXL, FLUX])
def test_another_model_does_not_get_the_profiles_size_and_steps(
    model: str, write: Write, settings: Callable[..., Profile], mac: Facts, host: Host
) -> None:
    """A profile for 128×128 and 12 steps renders other models as they are tuned themselves."""
    own, other = settings(write()), settings(write(), model)

    assert (128, 12, 4.0) == (own.width, own.num_inference_steps, own.guidance_scale)
    expected = tuned(model, mac, host)
    assert {name: expected[name] for name in MODEL_SETTINGS if name in expected} == {
        name: getattr(other, name) for name in MODEL_SETTINGS if name in expected
    }
    assert (model, 128) != (other.model, other.width)


def test_what_was_set_by_hand_for_the_model_stays_with_the_model(
    write: Write, settings: Callable[..., Profile]
) -> None:
    """Size, steps and number format hold for the file's model; device and variables for all."""
    edits = {
        "width": 256,
        "num_inference_steps": 3,
        "dtype": "float32",
        "attention": "bounded",
        "hot_folder": "/pictures",
        "environment.PYTORCH_MPS_HIGH_WATERMARK_RATIO": "0.5",
        "environment.PYTORCH_DEBUG_MPS_ALLOCATOR": "1",
    }
    layers = write(edits=edits)
    own, other = settings(layers), settings(layers, SDXL)

    assert (256, 3, "float32") == (own.width, own.num_inference_steps, own.dtype)
    assert (None, None, "float16") == (other.width, other.num_inference_steps, other.dtype)
    for profile in (own, other):
        assert ("bounded", "/pictures") == (profile.attention, profile.hot_folder)
        assert "0.5" == profile.environment["PYTORCH_MPS_HIGH_WATERMARK_RATIO"]
        assert "1" == profile.environment["PYTORCH_DEBUG_MPS_ALLOCATOR"]
        assert "1" == profile.environment["PYTORCH_ENABLE_MPS_FALLBACK"]


def test_variables_and_arguments_hold_for_whatever_is_rendered(
    write: Write, mac: Facts, host: Host
) -> None:
    """They come from the moment, not from the file's model; each value knows its layer."""
    environ = {"MPSDOCTOR_NUM_INFERENCE_STEPS": "9", "MPSDOCTOR_HEIGHT": "640"}
    layers = write(edits={"attention": "sliced"}, environ=environ, height=512)
    for model in (None, SDXL):
        loaded = settings_for(Profile, model, layers, lambda: mac, host).loaded
        assert (9, 512) == (loaded.profile.num_inference_steps, loaded.profile.height)
        assert (Origin.ENVIRONMENT, Origin.ARGUMENT) == (
            loaded.origins["num_inference_steps"],
            loaded.origins["height"],
        )
        assert Origin.FILE is loaded.origins["attention"]
    assert Origin.TUNED is loaded.origins["dtype"]


def test_a_variable_that_names_another_model_leaves_the_files_model_settings_out(
    write: Write, settings: Callable[..., Profile]
) -> None:
    """MPSDOCTOR_MODEL is as good a name as `--model`."""
    layers = write(edits={"width": 256}, environ={"MPSDOCTOR_MODEL": SDXL})

    assert settings(layers) == settings(write(edits={"width": 256}), SDXL)
    assert (SDXL, None) == (settings(layers).model, settings(layers).width)


def test_a_model_that_was_written_into_the_file_is_tuned_for(
    write: Write, settings: Callable[..., Profile]
) -> None:
    """What was tuned for the model before does not count; what stands there by hand does."""
    layers = write(edits={"model": SDXL, "num_inference_steps": 20})

    profile = settings(layers)
    assert (SDXL, None, 20) == (profile.model, profile.width, profile.num_inference_steps)
    assert "fp16" == profile.variant


def test_number_format_and_attention_follow_a_device_that_the_user_chose(
    write: Write, settings: Callable[..., Profile]
) -> None:
    """By hand or by a variable: on the CPU no model renders in float16."""
    by_hand = settings(write(edits={"device": "cpu"}), SDXL)
    by_variable = settings(write(environ={"MPSDOCTOR_DEVICE": "cpu"}), SDXL)

    assert by_hand == by_variable
    assert ("cpu", "float32", "native") == (by_hand.device, by_hand.dtype, by_hand.attention)
    assert {} == by_hand.environment


def test_a_device_of_ones_own_decides_for_the_files_model_too(
    write: Write, settings: Callable[..., Profile]
) -> None:
    """The file's format and attention were tuned for another device."""
    environ = {"MPSDOCTOR_DEVICE": "cpu"}
    profile = settings(write(SDXL, edits={"width": 640}, environ=environ))

    assert ("cpu", "float32", "native", 640) == (
        profile.device,
        profile.dtype,
        profile.attention,
        profile.width,
    )


def test_a_deleted_line_leaves_what_was_tuned(
    write: Write, settings: Callable[..., Profile]
) -> None:
    """Not the class's default, until the next check writes it again."""
    layers = write(SDXL)
    before = settings(layers)
    assert layers.path
    lines = layers.path.read_text().splitlines(keepends=True)
    names = ("dtype", "variant", "environment.PYTORCH_MPS_HIGH_WATERMARK_RATIO")
    kept = [line for line in lines if not line.startswith(names)]
    assert len(lines) - len(names) == len(kept)
    layers.path.write_text("".join(kept))

    assert before == settings(read_layers(layers.path, {}))


def test_a_record_that_has_lost_its_model_counts_for_none(
    write: Write, settings: Callable[..., Profile]
) -> None:
    """The other values may be those of another model."""
    layers = write("shapes")
    assert layers.path
    text = layers.path.read_text().replace('# Tuned: model="shapes", ', "# Tuned: ")
    layers.path.write_text(text.replace('model = "shapes"', f'model = "{SDXL}"'))

    assert (SDXL, None) == (
        settings(read_layers(layers.path, {})).model,
        read_layers(layers.path, {}).document.tuned_model,
    )


def test_the_machine_is_not_asked_for_the_profiles_own_model(write: Write, host: Host) -> None:
    """The file has its values."""

    def facts() -> Facts:
        raise AssertionError

    assert settings_for(Profile, "shapes", write(), facts, host).choices == {}


def test_a_folder_is_the_same_model_however_it_is_written(
    tmp_path: Path, write: Write, settings: Callable[..., Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative, absolute or from home: its settings are the file's."""
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    layers = write(str(tmp_path / "mine"), edits={"width": 640})

    for model in ("~/mine", str(tmp_path / "mine")):
        path = tmp_path / "by hand.toml"
        path.write_text(f'model = "{model}"\nwidth = 320\n')
        assert 320 == settings(read_layers(path, {})).width
        assert 320 == settings(read_layers(path, {}), "mine").width

    for name in ("mine", "~/mine", str(tmp_path / "mine")):
        assert (640, str(tmp_path / "mine")) == (
            settings(layers, name).width,
            settings(layers, name).model,
        )


def test_a_trace_that_fails_leaves_cautious_settings_and_a_word(
    tmp_path: Path, mac: Facts, host: Host
) -> None:
    """Attention in pieces fits everywhere; the user hears why it was chosen."""
    folder = tmp_path / "model"
    (folder / "unet").mkdir(parents=True)
    (folder / "unet" / "config.json").write_text("{}")
    index = '{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet"]}'
    (folder / "model_index.json").write_text(index)
    told: list[str] = []

    def fails(*_: object) -> CommandResult:
        return CommandResult(exit_code=1, stdout='["No such class","UNet","Update"]', stderr="")

    host = with_fields(host, run=fails, tell=told.append)
    assert "bounded" == tune_for(str(folder), mac, host).choices["attention"].value
    assert ["No such class. UNet. Its settings are chosen cautiously."] == told
