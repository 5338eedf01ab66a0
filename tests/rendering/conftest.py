"""Pipelines to render with, made once."""

from pathlib import Path
from typing import Any

import pytest

from mpsdoctor.profile.settings import Profile
from tests.support.pipelines import stable_diffusion


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved Stable Diffusion pipeline in safetensors."""
    folder = tmp_path_factory.mktemp("models")
    stable_diffusion(folder / "tokenizer").save_pretrained(folder / "tiny")
    return folder / "tiny"


@pytest.fixture
def pipe(tmp_path: Path) -> Any:
    """A Stable Diffusion pipeline that a test may change."""
    pipeline = stable_diffusion(tmp_path / "tokenizer")
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture
def profile() -> Profile:
    """Two steps on the CPU."""
    return Profile(device="cpu", dtype="float32", num_inference_steps=2)
