"""Train the embedded model: ``python -m mpsdoctor.shapes.training.train --out DIR``.

Eight minutes on one H200. The pictures are drawn on the training device itself.
"""

import argparse
import copy
import json
import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from mpsdoctor.shapes.captions import caption, sample_scene
from mpsdoctor.shapes.training.architecture import (
    assemble,
    build_scheduler,
    build_text_encoder,
    build_unet,
    build_vae,
    load_tokenizer,
)
from mpsdoctor.shapes.training.drawing import Layout, draw, layout
from mpsdoctor.shapes.training.fitting import Pace, fit
from mpsdoctor.shapes.training.objectives import Autoencoding, Denoising
from mpsdoctor.shapes.training.tokenizer import write_tokenizer

_VAE_SHARE: Final = 0.2
_VAE_PICTURES: Final = 32_768
_EMPTY_CAPTIONS: Final = 0.1
_DRAWN_AT_ONCE: Final = 2048


@dataclass(frozen=True)
class Settings:
    """How long and on what to train; each of the two trainings ends at its first limit."""

    device: torch.device
    minutes: float
    steps: int
    scenes: int
    batch: int
    seed: int

    @property
    def dtype(self) -> torch.dtype:
        """What the networks compute in: bfloat16 pays off on a GPU only."""
        return torch.bfloat16 if self.device.type == "cuda" else torch.float32


def main(arguments: list[str] | None = None) -> None:
    """Train a pipeline and save it as a folder for DiffusionPipeline.from_pretrained."""
    parser = argparse.ArgumentParser(description="Train the embedded model.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=8.2)
    parser.add_argument("--steps", type=int, default=10**6, help="of each of the two trainings")
    parser.add_argument("--scenes", type=int, default=160_000)
    parser.add_argument("--batch", type=int, default=192)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seed", type=int, default=0)
    options = vars(parser.parse_args(arguments))
    out = options.pop("out")
    train(out, Settings(**{**options, "device": torch.device(options["device"])}))


def train(out: Path, settings: Settings) -> None:
    """Train the autoencoder, then the text encoder with the denoiser, and save all in `out`."""
    torch.manual_seed(settings.seed)
    start = time.monotonic()
    with TemporaryDirectory() as folder:
        tokenizer = load_tokenizer(Path(folder))
    scenes, ids = sample_pool(tokenizer, settings)
    _report(f"{len(ids)} scenes after {time.monotonic() - start:.0f} s")

    vae = train_vae(scenes, settings)
    latents = encode(vae, scenes, settings)
    _report(f"latents after {time.monotonic() - start:.0f} s")

    seconds = 60 * settings.minutes - (time.monotonic() - start)
    empty = tokenize(tokenizer, [""]).to(settings.device)
    denoising = train_denoiser(latents, ids, empty, tokenizer, settings, seconds)
    save(out, vae, denoising.unet, denoising.text_encoder, tokenizer)
    _report(f"saved after {time.monotonic() - start:.0f} s")


def sample_pool(tokenizer: CLIPTokenizer, settings: Settings) -> tuple[Layout, Tensor]:
    """Sample N training scenes, each placed with jitter, and their captions' ids (N, L)."""
    rng = random.Random(settings.seed)
    scenes = [sample_scene(rng) for _ in range(settings.scenes)]
    ids = tokenize(tokenizer, [caption(scene, rng) for scene in scenes])
    return layout(scenes, settings.device).jittered(), ids.to(settings.device)


def tokenize(tokenizer: CLIPTokenizer, captions: list[str]) -> Tensor:
    """Turn captions into ids (N, L), padded as the pipeline pads them."""
    encoded = tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt")
    ids: Tensor = encoded.input_ids
    return ids


def train_vae(scenes: Layout, settings: Settings) -> AutoencoderKL:
    """Train the autoencoder on some of the scenes; its latents have mean 0 and deviation 1."""
    some = scenes.rows(torch.arange(min(_VAE_PICTURES, len(scenes.radii))))
    pictures = torch.cat([(draw(part) * 255).round().byte() for part in some.split(_DRAWN_AT_ONCE)])
    batch = max(1, settings.batch // 3)

    def sample() -> tuple[Tensor]:
        return (pictures[_sample_rows(pictures, batch)],)

    pace = Pace(60 * settings.minutes * _VAE_SHARE, settings.steps, rate=1.5e-3)
    objective = Autoencoding(build_vae().to(settings.device))
    trained = fit(objective, sample, pace, settings.dtype, _report)
    assert isinstance(trained, Autoencoding)
    standardise_latents(trained.vae.eval(), pictures[:512].float() / 127.5 - 1)
    return trained.vae


@torch.no_grad()
def standardise_latents(vae: AutoencoderKL, pictures: Tensor) -> None:
    """Give the latents of pictures (N, 3, H, W) mean 0 and deviation 1 in every channel.

    The change goes into the 1×1 convolutions on both sides of the latents. So the scaling factor
    stays 1, and no shift is needed, which StableDiffusionPipeline would ignore.
    """
    latents = vae.encode(pictures).latent_dist.mean
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    before, after = vae.quant_conv, vae.post_quant_conv
    # The other half of the encoder's channels are logarithms of variances.
    means = slice(0, len(mean))
    before.weight[means] /= deviation[:, None, None, None]
    before.bias[means] = (before.bias[means] - mean) / deviation
    before.bias[len(mean) :] -= 2 * deviation.log()
    after.bias += after.weight[:, :, 0, 0] @ mean
    after.weight *= deviation[None, :, None, None]


@torch.no_grad()
def encode(vae: AutoencoderKL, scenes: Layout, settings: Settings) -> Tensor:
    """Draw all N scenes and encode them as latents (N, 4, 32, 32)."""
    encoder = copy.deepcopy(vae).to(settings.dtype)
    latents = []
    for part in scenes.split(_DRAWN_AT_ONCE):
        pictures = (draw(part) * 2 - 1).to(settings.dtype)
        for some in torch.split(pictures, 512):
            latents.append(encoder.encode(some).latent_dist.mean.float())
    return torch.cat(latents)


def train_denoiser(
    latents: Tensor,
    ids: Tensor,
    empty: Tensor,
    tokenizer: CLIPTokenizer,
    settings: Settings,
    seconds: float,
) -> Denoising:
    """Train text encoder and UNet together; some captions are replaced by `empty` (1, L)."""

    def sample() -> tuple[Tensor, Tensor]:
        rows = _sample_rows(ids, settings.batch)
        blank = torch.rand(len(rows), 1, device=settings.device) < _EMPTY_CAPTIONS
        return latents[rows], torch.where(blank, empty, ids[rows])

    objective = Denoising(build_unet(), build_text_encoder(tokenizer), build_scheduler())
    pace = Pace(seconds, settings.steps, rate=1e-3)
    trained = fit(objective.to(settings.device), sample, pace, settings.dtype, _report)
    assert isinstance(trained, Denoising)
    return trained.eval()


def save(
    out: Path,
    vae: AutoencoderKL,
    unet: UNet2DConditionModel,
    text_encoder: CLIPTextModel,
    tokenizer: CLIPTokenizer,
) -> None:
    """Save a pipeline folder with weights in float16, which loads in float32 by default."""
    vae, unet, text_encoder = (part.cpu().half() for part in (vae, unet, text_encoder))
    assemble(vae, unet, text_encoder, tokenizer).save_pretrained(out)
    shutil.rmtree(out / "tokenizer")
    write_tokenizer(out / "tokenizer")
    _make_portable(out / "text_encoder")
    for path in out.rglob("*.safetensors"):
        path.chmod(0o644)


def _make_portable(text_encoder: Path) -> None:
    """Let transformers 4 and 5 load the text encoder alike, in float32 as Diffusers' parts.

    Version 5 leaves out the prefix of the weights' names that version 4 asks for, and loads
    in the type that the configuration names.
    """
    weights = text_encoder / "model.safetensors"
    named = {
        f"text_model.{name.removeprefix('text_model.')}": value
        for name, value in load_file(weights).items()
    }
    save_file(named, weights, metadata={"format": "pt"})
    config = text_encoder / "config.json"
    content = json.loads(config.read_text(encoding="utf-8")) | {"dtype": "float32"}
    config.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _report(line: str) -> None:
    print(line, flush=True)


def _sample_rows(table: Tensor, count: int) -> Tensor:
    return torch.randint(len(table), (count,), device=table.device)


if __name__ == "__main__":
    main()
