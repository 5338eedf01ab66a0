"""The keys in lines of settings: those that mpsdoctor reads, and those of other tools."""

import re
from collections.abc import Sequence

from mpsdoctor.errors import did_you_mean
from mpsdoctor.prompts.pairs import Pair, unquote
from mpsdoctor.prompts.wording import no_effect, shorten

KEYS = {
    "Steps": "steps",
    "Sampler": "sampler",
    "Schedule type": "schedule_type",
    "CFG scale": "cfg_scale",
    "Guidance scale": "cfg_scale",
    "Distilled CFG Scale": "distilled_cfg_scale",
    "Seed": "seed",
    "Size": "size",
    "Width": "width",
    "Height": "height",
    "Model": "model",
    "Count": "count",
}
"""The setting for each key. `Count` is ours, `Distilled CFG Scale` Forge's, `Guidance scale` Draw
Things'. Civitai writes `Width` and `Height` for ComfyUI's pictures; the others are A1111's."""

PROMPT, NEGATIVE_PROMPT = "Prompt", "Negative prompt"

_SETTINGS = {key.casefold(): setting for key, setting in KEYS.items()}
_SPELT = {key.casefold(): key for key in KEYS} | {"cfg": "CFG scale"}

_OF_OTHERS = re.compile(
    r"(model|vae|lora|ti|emb|hypernet) hash(es)?|hashes|vae( (en|de)coder)?|clip skip|version"
    r"|rng|ensd|eta|denoising strength|face restoration|tiling|batch (size|pos)|refiner"
    r"|created date|fp8 weight|app|backend|operations|parser|user"
    r"|(hires|adetailer|controlnet|civitai|variation seed|first pass|mask|token merging) ?.*",
    re.IGNORECASE,
)
"""What A1111, Forge, SD.Next, ComfyUI's savers, Civitai and common extensions add."""


def setting_of(key: str) -> str | None:
    """The setting for a key in upper or lower case, with spaces or `_`; None if there is none."""
    return _SETTINGS.get(_plain(key))


def key_like(key: str) -> str:
    """A hint that names the most similar key of a setting; "" if none is similar."""
    return did_you_mean(_plain(key)[:40], _SPELT, "", _SPELT.__getitem__)


def is_of_others(key: str) -> bool:
    """Whether this is a key of another tool."""
    return _OF_OTHERS.fullmatch(key) is not None


def notes(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Notes on pairs without effect: all except settings, prompts, and mpsdoctor's own pairs."""
    left_out = [
        f"{key}: {shorten(unquote(value), 40)}"
        for key, value in pairs
        if not (
            setting_of(key)
            or key in (PROMPT, NEGATIVE_PROMPT)
            or (key, value) == ("RNG", "CPU")
            or (key == "Version" and value.startswith("mpsdoctor"))
        )
    ]
    return no_effect(left_out)


def _plain(key: str) -> str:
    return key.casefold().replace("_", " ")
