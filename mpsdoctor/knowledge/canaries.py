"""What the canaries of mpsdoctor/facts/probes/canaries.py stand for."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from mpsdoctor.knowledge.faults.fault import Dtype


@dataclass(frozen=True)
class Meaning:
    """What a canary stands for, and what its failure does to pictures.

    It is tolerable where plain text-to-image, with the settings that mpsdoctor tunes, can do
    without that arithmetic, or still shows much of what the prompt says; but for the models whose
    pipeline or id `needed_by` matches. `dtypes` are the number formats in which its failure counts,
    all where there are none.
    """

    arithmetic: str
    impact: str
    tolerable: bool = False
    dtypes: tuple[Dtype, ...] = ()
    needed_by: tuple[str, ...] = ()

    def is_tolerable(self, model: str, pipeline: str | None) -> bool:
        """For one model; its pipeline's class outweighs its name."""
        needed = any(fnmatchcase(pipeline or model, pattern) for pattern in self.needed_by)
        return self.tolerable and not needed


_CONV3D: Final = (
    "Allegro*", "AnyFlow*", "BriaFibo*", "ChronoEdit*", "CogVideoX*", "ConsisID*", "Cosmos*",
    "EasyAnimate*", "Helios*", "Hunyuan[!D]*", "I2VGenXL*", "JoyImage*", "Kandinsky[56]*", "Krea2*",
    "LTX*", "LucyEdit*", "Mochi*", "MotifVideo*", "Nucleus*", "QwenImage*", "SanaImageToVideo*",
    "SanaVideo*", "SanaWM*", "SkyReelsV2*", "StableVideoDiffusion*", "TextToVideoSD*",
    "VideoToVideoSD*", "Wan*",
    "Qwen/Qwen-Image*", "Wan-AI/*", "Lightricks/LTX*", "tencent/Hunyuan*Video*",
)  # fmt: skip
"""Pipelines of Diffusers with three-dimensional convolutions, and ids of models with one."""

MEANINGS: Final[Mapping[str, Meaning]] = {
    "baddbmm-beta-zero": Meaning(
        "attention slicing",
        "Pictures come out black where attention slicing is on.",
        tolerable=True,
    ),
    "sdpa": Meaning(
        "attention",
        "Pictures are black or noise, or show something else.",
        dtypes=("float16",),
    ),
    "sdpa-causal": Meaning(
        "attention in the text encoder",
        "The prompt is partly misread: pictures do not show all that it says.",
        tolerable=True,
    ),
    "sdpa-scale-cache": Meaning(
        "attention with a scale of its own",
        "Models that change the scale of their attention make distorted pictures.",
        tolerable=True,
    ),
    "linear-bias": Meaning(
        "linear layers with a bias",
        "Each step misjudges how much noise is left: pictures are noise or washed out.",
    ),
    "linear-twice-bf16": Meaning(
        "linear layers in bfloat16",
        "In bfloat16, and perhaps in float16, pictures are noise, and another noise each time.",
        dtypes=("float16", "bfloat16"),
    ),
    "conv2d-sliced-weight": Meaning(
        "convolutions with a part of a weight",
        "Video models that take their weights apart make noise.",
        tolerable=True,
    ),
    "conv3d": Meaning(
        "convolutions over time",
        "Video models, and picture models with a video decoder, make noise.",
        tolerable=True,
        needed_by=_CONV3D,
    ),
    "conv-chunk": Meaning(
        "convolutions of several pictures at once",
        "When several pictures are made at once, only the first one is right.",
        tolerable=True,
    ),
    "copy-non-blocking": Meaning(
        "copies to the GPU that nobody waits for",
        "Now and then a picture is black or noise in software that makes such copies.",
        tolerable=True,
    ),
    "slice-assignment": Meaning(
        "assignments to a part of a tensor",
        "Some models make distorted pictures or misread the prompt.",
        tolerable=True,
    ),
    "cpu-scalar-offset": Meaning(
        "numbers from a table on the CPU",
        "With some schedulers pictures are noise or washed out.",
        tolerable=True,
    ),
    "argmax": Meaning(
        "the search for the largest number",
        "The end of the prompt is not found: pictures do not show what it says.",
    ),
    "cumsum": Meaning(
        "running sums",
        "Some text encoders misread the prompt.",
        tolerable=True,
    ),
    "layer-norm-float16": Meaning(
        "normalisation in float16",
        "In float16, pictures are noise or black.",
        dtypes=("float16",),
    ),
    "int64": Meaning("whole numbers", "The prompt or the steps are misread: pictures are noise."),
    "float64-refusal": Meaning(
        "float64, which this GPU does not have",
        "Where a model asks for float64, its pictures are distorted instead of refused, or what it "
        "copies is lost.",
        tolerable=True,
    ),
}


def meaning_of(name: str) -> Meaning:
    """Of one that only a newer version knows, too."""
    return MEANINGS.get(name) or Meaning(name, "Pictures may be wrong.")
