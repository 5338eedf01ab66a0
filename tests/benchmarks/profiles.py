"""Whole profiles beside the guide's blanket rule: `python -m tests.benchmarks.profiles`.

The denoising steps and the decoding of one picture, on full-size architectures with random weights.
The guide's rule below 64 GB is `enable_attention_slicing()`. Both run as mps does up to PyTorch
2.12, where attention keeps its scores (PyTorch's math backend here), and as from 2.13 on, where
flash kernels do not. `--device cpu --tiny` tries the script out.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch.nn.attention import SDPBackend, sdpa_kernel

from mpsdoctor.planning.configs import ARCHITECTURES, read_file
from mpsdoctor.profile import document
from mpsdoctor.rendering.attention.scope import Bound, bounded
from mpsdoctor.resources import shipped
from tests.benchmarks.attention import MIB, Denoiser, peak_of, random_module, synchronize, unet
from tests.benchmarks.machine import describe

STEPS = 20
ROUNDS = 3
WORK = (
    ("sd15", 512, "m1-8gb-torch-2.8.0-sd15"),
    ("sdxl", 1024, "m1-pro-16gb-torch-2.8.0-sdxl"),
    ("sdxl", 1024, "m2-max-32gb-torch-2.8.0-sdxl"),
)
"""Architecture, pixels and the profile that ships for a Mac with that model."""


@contextmanager
def settings(denoiser: Denoiser, values: dict[str, Any], *, flash: bool) -> Iterator[None]:
    """Attention as a profile says."""
    denoiser.module.set_attention_slice("auto" if values["attention"] == "sliced" else None)
    if values["attention"] != "sliced":
        denoiser.module.set_default_attn_processor()
    with ExitStack() as stack:
        if not flash:
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
            if values["attention"] == "bounded":
                budget = int(values["attention_budget"]) * MIB
                stack.enter_context(bounded(Bound(budget, denoiser.device)))
        yield


def picture(denoiser: Denoiser, vae: Any, latents: torch.Tensor, steps: int) -> None:
    """The work of one: text encoders are the same for both, and left out."""
    for _ in range(steps):
        denoiser.step()
    with torch.inference_mode():
        vae.decode(latents, return_dict=False)
    synchronize(denoiser.device)


def compare(name: str, pixels: int, profile: str, device: str, *, tiny: bool) -> None:
    """Prints the guide's settings and the profile's, with both kinds of attention."""
    denoiser = unet(name, pixels, device, tiny=tiny)
    # Diffusers decodes SDXL's latents in float32.
    dtype = torch.float32 if name == "sdxl" or device == "cpu" else torch.float16
    config = read_file(ARCHITECTURES / f"{name}.json").components["vae"]
    vae = random_module(AutoencoderKL, config, dtype, device)
    side = pixels // (64 if tiny else 8)
    latents = torch.randn(1, 4, side, side, dtype=dtype, device=device)
    text = (shipped("profiles") / f"{profile}.toml").read_text("utf-8")
    tuned = dict(document.read(text).values)
    for flash in (False, True):
        for title, values in (("the guide", {"attention": "sliced"}), (profile, tuned)):
            with settings(denoiser, values, flash=flash):
                picture(denoiser, vae, latents, 2)
                peak = peak_of(partial(picture, denoiser, vae, latents, 1), device)
                seconds = [
                    timed(denoiser, vae, latents, 1 if tiny else STEPS)
                    for _ in range(1 if tiny else ROUNDS)
                ]
            kind = "flash" if flash else "keeps scores"
            print(
                f"| {name} {pixels}×{pixels} | {kind} | {title} "
                f"| {statistics.median(seconds):.2f} | {peak / MIB:.0f} |",
                flush=True,
            )


def timed(denoiser: Denoiser, vae: Any, latents: torch.Tensor, steps: int) -> float:
    """Seconds."""
    synchronize(denoiser.device)
    started = time.perf_counter()
    picture(denoiser, vae, latents, steps)
    return time.perf_counter() - started


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    print(describe())
    if options.device != "cpu":
        print(torch.cuda.get_device_name())
    print(f"\n| {STEPS} steps and decoding | attention | settings | s a picture | peak MiB |")
    print("|---|---|---|---|---|")
    for name, pixels, profile in WORK:
        compare(name, pixels, profile, options.device, tiny=options.tiny)
        if options.device != "cpu":
            torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
