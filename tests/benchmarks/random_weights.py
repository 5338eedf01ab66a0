"""A pipeline's folder with random weights: the architecture in full size, its pictures noise."""

from pathlib import Path

import diffusers
import torch
from transformers import CLIPTextConfig, CLIPTextModel

from mpsdoctor.planning.build import component_class
from mpsdoctor.planning.configs import ARCHITECTURES, read_file
from mpsdoctor.shapes.training.architecture import load_tokenizer


def save(name: str, folder: Path, dtype: str, device: str) -> None:
    """One of the architectures that have a CLIP text encoder; made on `device`, which is faster.

    The tokenizer is that of the embedded model, with the length of the architecture's own.
    """
    torch.manual_seed(0)
    configs = read_file(ARCHITECTURES / f"{name}.json")
    parts = configs.components
    tokenizer = load_tokenizer(folder / "tokenizer")
    tokenizer.model_max_length = parts["tokenizer"]["model_max_length"]
    with torch.device(device):
        unet, vae = (
            component_class(configs, part).from_config(parts[part]) for part in ("unet", "vae")
        )
        text_encoder = CLIPTextModel(CLIPTextConfig(**parts["text_encoder"]))
    pipe = getattr(diffusers, configs.pipeline)(
        unet=unet,
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        scheduler=component_class(configs, "scheduler").from_config(parts["scheduler"]),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.to(getattr(torch, dtype)).save_pretrained(folder)
