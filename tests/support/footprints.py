"""A footprint made by hand, so that its forecasts can be computed by hand."""

from mpsdoctor.knowledge.attention.shape import AttentionShape
from mpsdoctor.planning.footprint import AttentionCall, Footprint, Stage, StageName

MIB = 2**20


def call(
    batch: int,
    heads: int,
    queries: int,
    keys: int,
    *,
    head_size: int = 64,
    live_mib: int = 0,
    dtype: str = "float16",
) -> AttentionCall:
    """Calls of attention of one shape."""
    shape = AttentionShape(
        batch=batch, heads=heads, queries=queries, keys=keys, head_size=head_size
    )
    return AttentionCall(shape=shape, count=10, live_bytes=live_mib * MIB, dtype=dtype)


def stage(
    name: StageName,
    component: str,
    weights_mib: int,
    peak_mib: int,
    buffer_mib: int,
    *calls: AttentionCall,
) -> Stage:
    """One stage, its sizes in MiB."""
    return Stage(
        name=name,
        components=(component,),
        weights_bytes=weights_mib * MIB,
        peak_bytes=peak_mib * MIB,
        largest_buffer_bytes=buffer_mib * MIB,
        flops=1,
        attention=calls,
    )


TEXT = stage("text", "text_encoder", 250, 60, 20)
LARGE = call(2, 8, 4096, 4096, live_mib=100)
"""2 * 8 * 4096 * 4096 = 2**28 scores: 1024 MiB in float32. Its output has 2 * 8 * 4096 * 64 values:
8 MiB in float16."""

DENOISER = stage("denoiser", "unet", 1600, 200, 300, call(2, 8, 4096, 77, live_mib=50), LARGE)
DECODER = stage(
    "decoder", "vae", 160, 2000, 500,
    call(1, 1, 4096, 4096, head_size=512, live_mib=700, dtype="float32"),
)  # fmt: skip
TILED = stage("decoder", "vae", 160, 400, 100)
WEIGHTS_MIB = 250 + 1600 + 160
FOOTPRINT = Footprint(
    model="me/model",
    pipeline="MyPipeline",
    width=512,
    height=768,
    dtype="float16",
    batch=2,
    stages=(TEXT, DENOISER, DECODER),
    tiled=TILED,
)


def square(side: int, decoder_mib: int, tiled_mib: int, dtype: str = "float16") -> Footprint:
    """2100 MiB of weights; attention has a query for each 16×16 pixels.

    With 512, 1024 and 2048 pixels that are 2**24, 2**28 and 2**32 scores, and outputs of 2, 8 and
    32 MiB.
    """
    queries = (side // 16) ** 2
    return Footprint(
        model="me/model",
        pipeline="MyPipeline",
        width=side,
        height=side,
        dtype=dtype,
        batch=2,
        stages=(
            stage("text", "text_encoder", 500, 10, 1),
            stage("denoiser", "unet", 1500, 50, 1, call(2, 8, queries, queries, live_mib=100)),
            stage("decoder", "vae", 100, decoder_mib, 1),
        ),
        tiled=stage("decoder", "vae", 100, tiled_mib, 1),
    )


SQUARES = (square(2048, 8000, 400), square(512, 500, 300), square(1024, 2000, 400))
"""Not in the order of their sizes."""
