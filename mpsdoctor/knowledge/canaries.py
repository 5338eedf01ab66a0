"""What the canaries of mpsdoctor/facts/probes/canaries.py test."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from mpsdoctor.knowledge.faults.fault import Dtype


@dataclass(frozen=True)
class Meaning:
    """What a canary tests, and what its failure does to pictures.

    A failure is tolerable if plain text-to-image with mpsdoctor's settings does not need that
    arithmetic, or if pictures still show much of the prompt. Models whose pipeline or id matches
    `needed_by` are exceptions. `dtypes` are the number formats in which a failure counts; an empty
    tuple means all.
    """

    arithmetic: str
    impact: str
    tolerable: bool = False
    dtypes: tuple[Dtype, ...] = ()
    needed_by: tuple[str, ...] = ()

    def is_tolerable(self, model: str, pipeline: str | None) -> bool:
        """Whether `model` can do without it; the pipeline's class, if known, decides."""
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
"""Diffusers' pipelines with three-dimensional convolutions, and ids of models that use one."""

MEANINGS: Final[Mapping[str, Meaning]] = {
    "baddbmm-beta-zero": Meaning(
        "attention slicing",
        "Pictures are black when attention slicing is on.",
        tolerable=True,
    ),
    "sdpa": Meaning(
        "attention",
        "Pictures are black or noise, or show something else.",
        dtypes=("float16",),
    ),
    "sdpa-causal": Meaning(
        "attention in the text encoder",
        "The prompt is partly misread: pictures do not show everything in it.",
        tolerable=True,
    ),
    "sdpa-scale-cache": Meaning(
        "attention with a custom scale",
        "Models that change the scale of their attention render distorted pictures.",
        tolerable=True,
    ),
    "linear-bias": Meaning(
        "linear layers with a bias",
        "Each step misjudges how much noise is left: pictures are noise or washed out.",
    ),
    "linear-twice-bf16": Meaning(
        "linear layers in bfloat16",
        "In bfloat16, and perhaps in float16, pictures are noise that differs each time.",
        dtypes=("float16", "bfloat16"),
    ),
    "conv2d-sliced-weight": Meaning(
        "convolutions with a part of a weight",
        "Video models that split their weights render noise.",
        tolerable=True,
    ),
    "conv3d": Meaning(
        "convolutions over time",
        "Video models, and picture models with a video decoder, render noise.",
        tolerable=True,
        needed_by=_CONV3D,
    ),
    "conv-chunk": Meaning(
        "convolutions of several pictures at once",
        "When several pictures are rendered at once, only the first one is right.",
        tolerable=True,
    ),
    "copy-non-blocking": Meaning(
        "asynchronous copies to the GPU",
        "Pictures are occasionally black or noise in software that makes such copies.",
        tolerable=True,
    ),
    "slice-assignment": Meaning(
        "assignments to a part of a tensor",
        "Some models render distorted pictures or misread the prompt.",
        tolerable=True,
    ),
    "cpu-scalar-offset": Meaning(
        "numbers from a table on the CPU",
        "With some schedulers pictures are noise or washed out.",
        tolerable=True,
    ),
    "argmax": Meaning(
        "the search for the largest number",
        "The end of the prompt is not found: pictures do not match the prompt.",
    ),
    "cumsum": Meaning(
        "running sums",
        "Some text encoders misread the prompt.",
        tolerable=True,
    ),
    "layer-norm-float16": Meaning(
        "normalization in float16",
        "In float16, pictures are noise or black.",
        dtypes=("float16",),
    ),
    "int64": Meaning("integers", "The prompt or the steps are misread: pictures are noise."),
    "float64-refusal": Meaning(
        "float64, which this GPU does not have",
        "A model that uses float64 renders distorted pictures instead of failing, or loses the "
        "data that it copies.",
        tolerable=True,
    ),
}


def meaning_of(name: str) -> Meaning:
    """The meaning of a canary; a name from a newer version gets a general one."""
    return MEANINGS.get(name) or Meaning(name, "Pictures may be wrong.")
