"""The training runs from end to end."""

from pathlib import Path

import pytest
import torch
from diffusers import DiffusionPipeline

from mpsdoctor.shapes.training import train
from mpsdoctor.shapes.training.architecture import build_vae


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("trained")
    few = ["--steps", "2", "--scenes", "8", "--batch", "6", "--device", "cpu"]
    train.main(["--out", str(out), *few])
    return out


@pytest.mark.slow
def test_training_makes_a_pipeline(trained: Path) -> None:
    """What the training saves loads without arguments, and draws a picture of 128×128."""
    pipeline = DiffusionPipeline.from_pretrained(trained)
    assert {part.dtype for part in (pipeline.unet, pipeline.vae, pipeline.text_encoder)} == {
        torch.float32
    }
    image = pipeline("a red circle", num_inference_steps=1).images[0]
    assert image.size == (128, 128)


def test_latents_are_standardised() -> None:
    """Standardising changes the latents' scale, and not the pictures that come out."""
    torch.manual_seed(0)
    vae, pictures = build_vae().eval(), torch.rand(8, 3, 128, 128) * 2 - 1
    with torch.no_grad():
        before = vae(pictures).sample
        train.standardise_latents(vae, pictures)
        latents = vae.encode(pictures).latent_dist.mean
        after = vae(pictures).sample
    torch.testing.assert_close(latents.mean((0, 2, 3)), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(latents.std((0, 2, 3)), torch.ones(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-3)
