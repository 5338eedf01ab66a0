"""What the hot folder is measured against: `python -m tests.benchmarks.plain_diffusers`.

A script as users write it, with nothing of mpsdoctor: it loads a model, renders the prompt files of
a folder in order, with seeds 0, 1, 2 …, and saves each picture under its prompt's name.
"""

import argparse
from pathlib import Path

import torch
from diffusers import DiffusionPipeline


def main() -> None:
    """Prints the name of each picture that is saved."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("prompts", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--device", required=True)
    parser.add_argument("--dtype", required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    options = parser.parse_args()
    dtype = getattr(torch, options.dtype)
    pipe = DiffusionPipeline.from_pretrained(options.model, dtype=dtype).to(options.device)
    pipe.set_progress_bar_config(disable=True)
    for seed, prompt in enumerate(sorted(options.prompts.iterdir())):
        image = pipe(
            prompt.read_text(),
            num_inference_steps=options.steps,
            width=options.size,
            height=options.size,
            generator=torch.Generator("cpu").manual_seed(seed),
        ).images[0]
        image.save(options.images / f"{prompt.stem}.png")
        print(f"{prompt.stem}.png", flush=True)


if __name__ == "__main__":
    main()
