"""The keys in lines of settings: those that are taken, and those of other tools."""

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
"""To settings. `Count` is ours, `Distilled CFG Scale` Forge's, `Guidance scale` Draw Things';
`Width` and `Height` are what Civitai writes of ComfyUI's pictures; the others are A1111's."""

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
    """The setting that a key names, in capitals or not, as in `cfg_scale`; None for any other."""
    return _SETTINGS.get(_plain(key))


def key_like(key: str) -> str:
    """A hint: the key of a setting that is most like this one; "" for none."""
    return did_you_mean(_plain(key)[:40], _SPELT, "", _SPELT.__getitem__)


def is_of_others(key: str) -> bool:
    """Whether another tool's settings have this key."""
    return _OF_OTHERS.fullmatch(key) is not None


def notes(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Says what has no effect: all but settings, prompts, and what mpsdoctor itself writes."""
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
