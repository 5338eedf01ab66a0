"""Generation parameters as the text that A1111's web UI writes and most tools read.

The form is that of `modules/processing.py:create_infotext` in AUTOMATIC1111's
stable-diffusion-webui 1.10: the prompt, then one line of `Key: value` pairs, of which readers
want at least three.
"""

import json
from dataclasses import dataclass

PNG_KEY = "parameters"


@dataclass(frozen=True)
class Parameters:
    """What a picture was made with. `width` and `height` in pixels; `seed` of a CPU generator."""

    prompt: str
    steps: int
    sampler: str
    cfg_scale: float
    seed: int
    width: int
    height: int
    model: str
    version: str


def format_infotext(parameters: Parameters) -> str:
    """The value of the PNG text chunk `parameters`."""
    pairs = {
        "Steps": parameters.steps,
        "Sampler": parameters.sampler,
        "CFG scale": f"{parameters.cfg_scale:g}",
        "Seed": parameters.seed,
        "Size": f"{parameters.width}x{parameters.height}",
        "Model": parameters.model,
        "RNG": "CPU",
        "Version": parameters.version,
    }
    line = ", ".join(f"{key}: {_quote(str(value))}" for key, value in pairs.items())
    return f"{parameters.prompt}\n{line}"


def _quote(value: str) -> str:
    """Values with a separator in them are JSON strings, as in A1111's `infotext_utils.quote`."""
    return json.dumps(value, ensure_ascii=False) if set(value) & set(",:\n") else value
