"""Renders one picture on a device and on the CPU, and compares the two. Run by path.

It runs in a child process, with Python 3.8 or newer, torch, Diffusers and Transformers, because
each of them can raise, abort or hang. It prints each result at once, one JSON object per line, as
`{"picture": {…}}`. `stage` is the one that begins: "libraries", "model", "cpu", "device" or "done".
`error` ends the run. The other keys are those of mpsdoctor.facts.records.Picture.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

# With two objects, more can go wrong. The settings are those with which the model is evaluated.
PROMPT = "a green heart left of a purple square on a black background"
SEED = 0
SETTINGS = {"num_inference_steps": 12, "guidance_scale": 4.0, "width": 128, "height": 128}

_HERE = os.path.dirname(os.path.abspath(__file__))
_NEEDED = ("torch", "diffusers", "transformers")
_LONGEST_ERROR = 200


def load(folder: str) -> Any:  # noqa: ANN401 (diffusers has no types)
    """The pipeline in `folder`, in float32, from safetensors and without the network."""
    import diffusers

    # For a missing folder, Diffusers complains about the id of a Hugging Face model.
    if not os.path.isfile(os.path.join(folder, "model_index.json")):
        raise FileNotFoundError("no model_index.json in {}".format(folder))
    pipe = diffusers.DiffusionPipeline.from_pretrained(
        folder, local_files_only=True, use_safetensors=True
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def render(pipe: Any, device: str, dtype: str) -> torch.Tensor:  # noqa: ANN401
    """The picture of shape (3, 128, 128) in levels, 0 to 255; the noise is the CPU's."""
    import torch

    pipe.to(torch.device(device), getattr(torch, dtype))
    noise = torch.Generator("cpu").manual_seed(SEED)
    # Not as a PIL image, in which NaN would become black.
    images: torch.Tensor = pipe(PROMPT, generator=noise, output_type="pt", **SETTINGS).images
    return images[0].cpu().double() * 255


def difference(expected: torch.Tensor, actual: torch.Tensor) -> dict[str, object]:
    """The difference between `actual` and `expected`, in levels; no numbers if not finite."""
    not_finite = int((~actual.isfinite()).sum())
    if not_finite:
        return {"not_finite": not_finite}
    apart = (actual - expected).abs()
    return {
        "not_finite": 0,
        "largest": round(float(apart.max()), 4),
        "mean": round(float(apart.mean()), 4),
        "rms": round(float(apart.square().mean().sqrt()), 4),
    }


def compare(folder: str, device: str, dtype: str) -> None:
    """Prints each stage when it begins, and its results when it ends.

    Raises what the libraries raise, and ArithmeticError if the CPU's picture is not finite.
    """
    _say(stage="libraries")
    import diffusers  # noqa: F401
    import torch
    import transformers  # noqa: F401

    # Threads that wait for each other take minutes if other processes use the same cores.
    torch.set_num_threads(1)
    _say(stage="model")
    pipe = load(folder)
    _say(stage="cpu")
    started = time.perf_counter()
    expected = render(pipe, "cpu", "float32")
    if not expected.isfinite().all():
        raise ArithmeticError("the CPU's picture is not finite")
    _say(stage="device", cpu_seconds=_since(started))
    started = time.perf_counter()
    actual = render(pipe, device, dtype)
    _say(stage="done", seconds=_since(started), **difference(expected, actual))


def main() -> None:
    """Prints the answers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", help="folder of a Diffusers pipeline")
    parser.add_argument("device", choices=("mps", "cpu"))
    parser.add_argument("dtype", choices=("float16", "bfloat16", "float32"))
    asked = parser.parse_args()
    # Python puts this file's folder first on the path, where other files could shadow modules.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != _HERE]
    _prepare()
    try:
        compare(asked.model, asked.device, asked.dtype)
    except BaseException as error:
        _say(error=_in_words(error))
    os._exit(0)  # torch can crash while Python shuts down, and the answer would be lost


def _prepare() -> None:
    """Sets the variables that the libraries read when they are imported."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    # Only the last message of an abort may be on stderr.
    os.environ["TQDM_DISABLE"] = os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ["DIFFUSERS_VERBOSITY"] = os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    # As in the profile.
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")


def _in_words(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name in _NEEDED:
        return "{} is not installed".format(error.name)
    return " ".join("{}: {}".format(type(error).__name__, error).split())[:_LONGEST_ERROR]


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 3)


def _say(**known: object) -> None:
    # On its own line, whatever the libraries have printed.
    print("\n" + json.dumps({"picture": known}), flush=True)


if __name__ == "__main__":
    main()
