"""Pipelines to render with, made once."""

from pathlib import Path
from typing import Any

import pytest

from mpsdoctor.profile.settings import Profile
from tests.support.pipelines import stable_diffusion


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
