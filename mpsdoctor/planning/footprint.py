"""What a model needs at one size, as its trace found; no torch."""

from typing import Literal

from mpsdoctor.knowledge.attention.shape import AttentionShape
from mpsdoctor.records import Record

StageName = Literal["text", "denoiser", "decoder"]


class AttentionCall(Record):
    """All calls of one shape in a stage.

    `live_bytes` is the most memory alive when such a call starts, without parameters. Its query,
    key and value are included, its output is not. `dtype` is the query's, which can differ from
    the model's: some decode in float32.
    """

    shape: AttentionShape
    count: int
    live_bytes: int
    dtype: str


class Stage(Record):
    """One part of the work: the text encoders, one denoising step, or the decoding of latents.

    `peak_bytes` is the most activations alive at once; of attention, only the output counts.
    `largest_buffer_bytes` is the largest tensor, without attention's temporaries. `flops` counts a
    multiplication and an addition as two.
    """

    name: StageName
    components: tuple[str, ...]
    weights_bytes: int
    peak_bytes: int
    largest_buffer_bytes: int
    flops: int
    attention: tuple[AttentionCall, ...]


class Footprint(Record):
    """One model at one size, in pixels, in one number format.

    `batch` is the denoiser's: 2 with classifier-free guidance. `tiled` is the decoder's stage with
    VAE tiling, None if that saves nothing.
    """

    model: str
    pipeline: str
    width: int
    height: int
    dtype: str
    batch: int
    stages: tuple[Stage, ...]
    tiled: Stage | None = None

    @property
    def weights_bytes(self) -> int:
        """All components together."""
        return sum(stage.weights_bytes for stage in self.stages)
