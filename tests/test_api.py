"""The profile in users' own code."""

import copy
import pickle
import platform
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from diffusers import (
    AutoPipelineForImage2Image,
    DiffusionPipeline,
    DPMSolverMultistepScheduler,
    StableDiffusionXLImg2ImgPipeline,
)
from PIL import Image

from mpsdoctor import (
    MpsDoctorError,
    MpsDoctorWarning,
    TunedProfile,
    check,
    load_profile,
)
from mpsdoctor.facts import saved
from mpsdoctor.facts.command import run
from mpsdoctor.facts.records import Facts
from mpsdoctor.paths import facts_file
from mpsdoctor.rendering.number_format import DTYPE_ARGUMENT
from tests.support.machines import MACHINES
from tests.support.pipelines import flux, stable_diffusion, stable_diffusion_xl

pytestmark = pytest.mark.heavy

PHOTO = Image.linear_gradient("L").resize((64, 64)).convert("RGB")


@pytest.fixture(autouse=True)
def profile_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_folder: Path) -> Path:
    """The file that `load_profile` finds, and beside it what a check has found."""
    path = tmp_path / "profile.toml"
    path.write_text(f'device = "cpu"\ndtype = "float32"\nmodel = "{model_folder}"\n')
    monkeypatch.setenv("MPSDOCTOR_PROFILE_FILE", str(path))
    recorded = (MACHINES / "linux-torch-2.13.0+cpu.json").read_bytes()
    facts = msgspec.json.decode(recorded, type=Facts)
    saved.save(facts_file(path), facts, saved.conditions(run, platform.system()))
    return path


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Models of two families, as from_pretrained loads them."""
    root = tmp_path_factory.mktemp("models")
    for name, build in (("sdxl", stable_diffusion_xl), ("flux", flux)):
        build(root / "tokenizer").save_pretrained(root / name)
    return {name: root / name for name in ("sdxl", "flux")}


def loaded(folder: Path, **settings: Any) -> Any:
    pipe = DiffusionPipeline.from_pretrained(folder, **settings)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def steps_of(profile: TunedProfile, pipe: Any, **given: Any) -> tuple[tuple[int, int], int]:
    """The size of a picture, and how many steps it took."""
    steps: list[int] = []
    [picture] = profile.generate(
        pipe, "a red circle", seed=1, on_step=lambda _step, of: steps.append(of), **given
    )
    return picture.size, len(steps)


def test_users_render_with_three_calls() -> None:
    """Load the profile, load the pipeline, generate: prompts or one prompt, seeded."""
    profile = load_profile(num_inference_steps=1)
    pipe = profile.load_pipeline()

    first, second = profile.generate(pipe, ["a star", "a circle"], seed=1)
    [alone] = profile.generate(pipe, "a circle", 2)
    unseeded = profile.generate(pipe, ["a star", "a star"])

    assert second.tobytes() == alone.tobytes() != first.tobytes()
    assert unseeded[0].tobytes() != unseeded[1].tobytes()


def test_a_pipeline_of_another_model_is_rendered_with_that_ones_settings(
    profile_file: Path, folders: dict[str, Path]
) -> None:
    """A profile of 128×128 and 12 steps for one model says nothing of SDXL's and FLUX's."""
    profile_file.write_text(
        'device = "cpu"\ndtype = "float32"\nmodel = "shapes"\n'
        "width = 128\nheight = 128\nnum_inference_steps = 12\nguidance_scale = 4.0\n"
    )
    profile = load_profile()
    shapes = profile.load_pipeline()
    shapes.set_progress_bar_config(disable=True)

    assert ((128, 128), 12) == steps_of(profile, shapes)
    assert ((64, 64), 50) == steps_of(profile, loaded(folders["sdxl"]))
    assert (28, (256, 256)) == steps_of(profile, loaded(folders["flux"]))[::-1]
    assert ((64, 64), 2) == steps_of(profile, loaded(folders["sdxl"]), num_inference_steps=2)
    assert 3 == steps_of(load_profile(num_inference_steps=3), loaded(folders["sdxl"]))[1]


def test_a_pipeline_without_a_name_gets_what_holds_for_all_models(
    profile_file: Path, tmp_path: Path
) -> None:
    """The settings of the file's model stay out; arguments and the machine's settings hold."""
    with profile_file.open("a") as file:
        file.write('num_inference_steps = 3\nvae_tiling = true\nattention = "bounded"\n')
    pipe = stable_diffusion(tmp_path / "tokenizer")
    pipe.set_progress_bar_config(disable=True)

    applied = load_profile().apply(pipe)

    assert applied is pipe
    assert not pipe.vae.use_tiling
    assert pipe.unet._compiled_call_impl is not None
    assert 50 == steps_of(load_profile(), pipe)[1]
    assert 2 == steps_of(load_profile(num_inference_steps=2), pipe)[1]
    assert 2 == steps_of(TunedProfile(device="cpu", num_inference_steps=2), pipe)[1]


def test_a_snapshot_in_the_cache_is_its_repository(
    profile_file: Path, tmp_path: Path, model_folder: Path
) -> None:
    """A pipeline that was loaded from the folder is of the profile's model."""
    profile_file.write_text('device = "cpu"\nmodel = "me/tiny"\nnum_inference_steps = 3\n')
    snapshot = tmp_path / "models--me--tiny/snapshots" / ("a" * 40)
    shutil.copytree(model_folder, snapshot)

    assert 3 == steps_of(load_profile(), loaded(snapshot))[1]


def test_apply_takes_the_users_own_pipeline(model_folder: Path) -> None:
    """A pipeline that the user loaded gets the profile's settings."""
    pipe = loaded(model_folder)

    assert pipe is load_profile(vae_tiling=True).apply(pipe)
    assert pipe.vae.use_tiling


def test_apply_warns_of_another_number_format_and_converts_where_it_is_asked_to(
    model_folder: Path,
) -> None:
    """The warning names the components, the line that loads them, and the user's own line."""
    pipe = loaded(model_folder, **{DTYPE_ARGUMENT: torch.bfloat16})
    profile = load_profile()

    with pytest.warns(MpsDoctorWarning, match="has .*unet.* in bfloat16") as caught:
        profile.apply(pipe)
    assert __file__ == caught[0].filename
    assert f'from_pretrained("{model_folder}", ' in str(caught[0].message)
    assert torch.bfloat16 is pipe.dtype

    profile.apply(pipe, convert=True)
    assert {torch.float32} == {weight.dtype for weight in pipe.unet.parameters()}
    assert steps_of(profile, pipe, num_inference_steps=1)


def test_apply_leaves_an_offloaded_pipeline_where_it_is(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moving its weights would undo the offload; Diffusers refuses to where there is a map."""
    pipe = loaded(model_folder)
    pipe.enable_model_cpu_offload(device="cpu")
    mapped = loaded(model_folder)
    mapped.hf_device_map = {"unet": "cpu", "vae": "cpu"}
    free, profile = loaded(model_folder), load_profile(vae_slicing=True)

    with monkeypatch.context() as context:
        context.setattr(DiffusionPipeline, "to", None)
        for placed in (pipe, mapped):
            assert profile.apply(placed).vae.use_slicing
        with pytest.raises(TypeError):
            profile.apply(free)
    assert steps_of(profile, pipe, num_inference_steps=1)


def test_what_has_no_effect_is_said(folders: dict[str, Path]) -> None:
    """A warning for each such argument, once for all pictures, at the user's line."""
    pipe = loaded(folders["flux"])
    profile = load_profile(num_inference_steps=1, width=32, height=32)

    with pytest.warns(MpsDoctorWarning, match="negative prompt has no effect") as caught:
        profile.generate(pipe, ["a cat", "a dog"], negative_prompt="blue")

    assert [__file__] == [one.filename for one in caught]


def test_other_settings_hold_for_every_model(folders: dict[str, Path]) -> None:
    """As if load_profile had been given them; a copy's do too, and the profile stays as it was."""
    profile = load_profile(num_inference_steps=1)
    pipe = loaded(folders["sdxl"])

    changed = profile.with_settings(num_inference_steps=2, width=32)
    copied = profile.model_copy(update={"num_inference_steps": 2, "width": 32})

    assert ((32, 64), 2) == steps_of(changed, pipe) == steps_of(copied, pipe)
    assert 1 == steps_of(profile, pipe)[1]
    other = profile.with_settings(model=str(folders["sdxl"]))
    assert (str(folders["sdxl"]), 1) == (other.model, other.num_inference_steps)
    with pytest.raises(MpsDoctorError, match="num_inference_step") as unknown:
        profile.with_settings(num_inference_step=1)  # type: ignore[call-arg]
    assert "Did you mean num_inference_steps?" in unknown.value.hint
    with pytest.raises(MpsDoctorError, match="width cannot be 33"):
        profile.with_settings(width=33)


def test_a_profile_is_a_value(folders: dict[str, Path]) -> None:
    """Loaded again it is equal, and it can be sent to another process, or copied."""
    profile = load_profile(num_inference_steps=1)
    other = profile.for_model(str(folders["sdxl"]))

    for same in (load_profile(num_inference_steps=1), pickle.loads(pickle.dumps(profile))):
        assert profile == same
        assert other == same.for_model(str(folders["sdxl"]))
    assert other == copy.deepcopy(other)
    assert profile != load_profile(num_inference_steps=2)


def test_dir_names_settings_and_verbs() -> None:
    """What tab completion offers is what a user can want."""
    verbs = {"activate", "apply", "for_model", "generate", "load_pipeline", "with_settings"}

    public = {name for name in dir(load_profile()) if not name.startswith("_")}

    assert verbs | set(TunedProfile.model_fields) == public


def repaint(profile: TunedProfile, pipe: Any) -> Any:
    return profile.generate(
        AutoPipelineForImage2Image.from_pipe(pipe), "a cat wizard", image=PHOTO, strength=0.5,
        num_inference_steps=2, guidance_scale=0.0,
    )  # fmt: skip


def refine(profile: TunedProfile, pipe: Any) -> Any:
    latents = pipe("a lion", num_inference_steps=2, output_type="latent").images
    refiner = StableDiffusionXLImg2ImgPipeline(**pipe.components, add_watermarker=False)
    refiner.set_progress_bar_config(disable=True)
    return profile.generate(refiner, "a lion", image=latents, denoising_start=0.5)


def offload(profile: TunedProfile, pipe: Any) -> Any:
    pipe.enable_model_cpu_offload(device="cpu")
    return profile.generate(profile.apply(pipe), prompt="a cat")


def grid(profile: TunedProfile, pipe: Any) -> Any:
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in (1, 2)]
    return profile.generate(pipe, ["a cat"] * 2, generator=generators)


def schedule(profile: TunedProfile, pipe: Any) -> Any:
    pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    return profile.generate(pipe, "a cat", denoising_end=0.5, seed=0)


def interrupt(profile: TunedProfile, pipe: Any) -> Any:
    def stop(pipe: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        pipe._interrupt = step == 0
        return tensors

    return profile.generate(pipe, "a cat", callback_on_step_end=stop)


def keep_autocast(profile: TunedProfile, pipe: Any) -> Any:
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        return profile.generate(pipe, "a cat")


# Diffusers' schedulers, with numpy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(
    "snippet",
    [
        lambda profile, pipe: profile.generate(pipe, "a cat", negative_prompt="blurry"),
        lambda profile, pipe: profile.generate(pipe, prompt="a cat", num_images_per_prompt=2),
        lambda profile, pipe: profile.generate(pipe, ["a cat", "a dog"], seed=[42, 43]),
        lambda profile, pipe: profile.generate(pipe, "a cat", generator=torch.manual_seed(1)),
        lambda profile, pipe: profile.generate(pipe, ("a cat",), num_inference_steps=3, eta=0.5),
        lambda profile, pipe: profile.generate(pipe, "a cat", 1, width=32, height=48),
        lambda profile, pipe: profile.generate(pipe, "a cat", original_size=(64, 64)),
        repaint,
        refine,
        offload,
        grid,
        schedule,
        interrupt,
        keep_autocast,
    ],
)
def test_what_people_write_for_diffusers_works(
    snippet: Callable[[TunedProfile, Any], list[Image.Image]], folders: dict[str, Path]
) -> None:
    """Ways in which public code calls pipelines, with `profile.generate(pipe, …)` in that place."""
    pictures = snippet(load_profile(num_inference_steps=2), loaded(folders["sdxl"]))

    assert pictures
    assert all(picture.mode == "RGB" for picture in pictures)


def test_check_examines_this_machine_and_writes_nothing(
    profile_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its report is the command's, with the profile's ignored checks; nothing is printed."""
    profile_file.write_text('ignore = ["MPS501"]\nmodel = "me/mine"\n')
    before = {path: path.read_bytes() for path in profile_file.parent.iterdir()}

    report = check(quick=True, ignore=["MPS505"])

    ids = {result.id for result in report.results}
    assert "MPS605" in ids
    assert not ids & {"MPS501", "MPS505", "MPS303"}
    assert "me/mine" == getattr(report.facts.model_files, "model", "")
    assert before == {path: path.read_bytes() for path in profile_file.parent.iterdir()}
    assert ("", "") == capfd.readouterr()
    for wrong in ({"ignore": ["MPS999"]}, {"quick": True, "render": True}):
        with pytest.raises(MpsDoctorError):
            check(**wrong)
