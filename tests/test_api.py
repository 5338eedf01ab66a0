"""The profile in users' own code."""

from pathlib import Path

import pytest

from mpsdoctor import load_profile


@pytest.fixture(autouse=True)
def profile_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_folder: Path) -> Path:
    """The file that `load_profile` finds."""
    path = tmp_path / "profile.toml"
    path.write_text(f'device = "cpu"\ndtype = "float32"\nmodel = "{model_folder}"\n')
    monkeypatch.setenv("MPSDOCTOR_PROFILE_FILE", str(path))
    return path


def test_users_render_with_three_calls() -> None:
    """Load the profile, load the pipeline, generate: prompts or one prompt, seeded."""
    profile = load_profile(num_inference_steps=1)
    pipe = profile.load_pipeline()

    first, second = profile.generate(pipe, ["a star", "a circle"], seed=1)
    [alone] = profile.generate(pipe, "a circle", seed=2)
    unseeded = profile.generate(pipe, ["a star", "a star"])

    assert second.tobytes() == alone.tobytes() != first.tobytes()
    assert unseeded[0].tobytes() != unseeded[1].tobytes()


def test_apply_takes_the_users_own_pipeline(model_folder: Path) -> None:
    """A pipeline that the user loaded gets the profile's settings."""
    from diffusers import DiffusionPipeline

    pipe = DiffusionPipeline.from_pretrained(model_folder)

    assert pipe is load_profile(vae_tiling=True).apply(pipe)
    assert pipe.vae.use_tiling
