"""What a trace without weights finds, beside what real modules take."""

from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
import transformers
from diffusers import StableDiffusionPipeline
from msgspec.structs import replace

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.knowledge.attention import memory
from mpsdoctor.knowledge.attention.shape import AttentionShape
from mpsdoctor.planning import needs
from mpsdoctor.planning.build import weights_bytes
from mpsdoctor.planning.configs import ARCHITECTURES, Configs, read_file, read_folder
from mpsdoctor.planning.footprint import Stage
from mpsdoctor.planning.forecast import stage_peak
from mpsdoctor.planning.trace import trace
from tests.support import pipelines
from tests.support.allocations import peak_bytes

pytestmark = pytest.mark.heavy

MIB = 2**20


def stage(configs: Configs, side: int, dtype: str, name: str) -> Stage:
    [footprint] = trace(configs, [(side, side)], dtype)
    return next(stage for stage in footprint.stages if stage.name == name)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_the_figures_of_an_h100_are_met() -> None:
    """`torch.cuda.max_memory_allocated` of a step at 1024×1024 in float16, less the weights.

    SDXL is traced now. Of Stable Diffusion 1.5 the trace that ships has to do: it takes seconds.
    """
    shipped = needs.of_model("runwayml/stable-diffusion-v1-5")
    assert shipped is not None
    sd15 = needs.exact(shipped, 1024, 1024, "float16")
    assert sd15 is not None
    sdxl = stage(read_file(ARCHITECTURES / "sdxl.json"), 1024, "float16", "denoiser")

    def peak(denoiser: Stage, slice_size: memory.SliceSize) -> float:
        found = stage_peak(
            denoiser, lambda call: memory.sliced_bytes(call.shape, call.dtype, slice_size)
        )
        return found / MIB

    assert [1265.73, 498.37] == pytest.approx(
        [peak(sd15.stages[1], "max"), peak(sdxl, "auto")], abs=0.005
    )


def test_the_prediction_is_what_the_allocator_gives(model_folder: Path) -> None:
    """A small random pipeline, its UNet run for real on the CPU, and the trace of its files."""
    pipe = StableDiffusionPipeline.from_pretrained(model_folder)
    denoiser = stage(read_folder("small", model_folder), 256, "float32", "denoiser")

    latents, text = torch.zeros(2, 4, 128, 128), torch.zeros(2, 32, 32)
    inputs = latents.nbytes + text.nbytes
    measured = inputs + peak_bytes(lambda: pipe.unet(latents, torch.tensor(1), text))

    assert sum(p.nbytes for p in pipe.unet.parameters()) == denoiser.weights_bytes
    assert measured == pytest.approx(stage_peak(denoiser, lambda call: 0), rel=0.02), (
        "the CPU's own attention keeps no scores"
    )


def test_a_transformer_pipeline_is_run_by_its_own_code(tmp_path: Path) -> None:
    """Stages, guidance and the text encoders come from the pipeline; nothing is told of them."""
    pipelines.stable_diffusion_3(tmp_path / "tokenizer").save_pretrained(tmp_path / "model")
    [footprint] = trace(read_folder("small", tmp_path / "model"), [(64, 64)], "float32")

    components = {stage.name: set(stage.components) for stage in footprint.stages}
    assert components == {
        "text": {"text_encoder", "text_encoder_2"},
        "denoiser": {"transformer"},
        "decoder": {"vae"},
    }
    assert footprint.batch == 2


def test_each_part_of_a_pipeline_is_in_its_stage(model_folder: Path) -> None:
    """What is loaded but not called, here an image encoder, counts where the peak can be: last.

    A picture of 128×64 has 64×32 latents; the UNet attends to 32×16 of them, with guidance to two
    at once. The text encoder has two layers, and is called for the prompt and the negative prompt.
    """
    configs = read_folder("me/model", model_folder)
    vision = {
        "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "image_size": 32,
        "num_attention_heads": 2, "patch_size": 16, "projection_dim": 8,
    }  # fmt: skip
    kind = ["transformers", "CLIPVisionModelWithProjection"]
    configs = replace(
        configs,
        model_index=configs.model_index | {"image_encoder": kind},
        components=configs.components | {"image_encoder": vision},
    )
    one, half = (trace(configs, [(128, 64)], dtype)[0] for dtype in ("float32", "float16"))

    pipe = StableDiffusionPipeline.from_pretrained(model_folder)
    text, unet, vae = (
        weights_bytes(getattr(pipe, name)) for name in ("text_encoder", "unet", "vae")
    )
    assert ("me/model", "StableDiffusionPipeline", 128, 64, "float32", 2) == (
        one.model, one.pipeline, one.width, one.height, one.dtype, one.batch
    )  # fmt: skip
    assert [
        ("text", ("text_encoder",), text),
        ("denoiser", ("unet",), unet),
        ("decoder", ("vae", "image_encoder"), vae + 27048),
    ] == [(stage.name, stage.components, stage.weights_bytes) for stage in one.stages]
    calls = [[(call.shape, call.count) for call in stage.attention] for stage in one.stages]
    assert calls == [
        [(shape(1, 4, 32, 32, 8), 2 * 2)],
        [(shape(2, 2, 512, 512, 16), 4), (shape(2, 2, 512, 32, 16), 4)],
        [(shape(1, 1, 64 * 32, 64 * 32, 16), 1)],
    ]
    assert [["float16"], ["float16"] * 2, ["float16"]] == [
        [call.dtype for call in stage.attention] for stage in half.stages
    ]
    # Tiles of 64×64 pixels, which overlap by a quarter: at 0, 48 and 96.
    assert one.tiled is not None
    assert ("decoder", ("vae",), vae) == (
        one.tiled.name, one.tiled.components, one.tiled.weights_bytes
    )  # fmt: skip
    assert 6 == sum(call.count for call in one.tiled.attention)
    assert one.tiled.peak_bytes < one.stages[2].peak_bytes
    assert [stage.flops for stage in one.stages] == [stage.flops for stage in half.stages]
    halves = [stage.largest_buffer_bytes / 2 for stage in one.stages]
    assert halves == [stage.largest_buffer_bytes for stage in half.stages]


def shape(batch: int, heads: int, queries: int, keys: int, head_size: int) -> AttentionShape:
    return AttentionShape(batch=batch, heads=heads, queries=queries, keys=keys, head_size=head_size)


def test_a_class_that_is_not_installed_is_named(tmp_path: Path) -> None:
    """Code from a model's repository is never a way out."""
    index = {"_class_name": "StableDiffusionPipeline", "unet": ["my_code", "MyUNet"]}
    configs = Configs(model="someone/model", model_index=index, components={"unet": {}})
    with pytest.raises(MpsDoctorError) as raised:
        trace(configs, [(64, 64)], "float32")
    assert (raised.value.title, raised.value.detail, raised.value.hint) == (
        "someone/model needs my_code.MyUNet, which is not installed",
        f"diffusers {diffusers.__version__}, transformers {transformers.__version__}; code from a "
        "model's repository is never run.",
        "A newer Diffusers or Transformers may have it.",
    )


@pytest.mark.parametrize(
    ("index", "what"),
    [
        ({"unet": ["diffusers", "NoSuchUNet"]}, "needs diffusers.NoSuchUNet"),
        ({"unet": ["transformers", "logging"]}, "needs transformers.logging"),
        ({"unet": ["../evil", "UNet"]}, r"needs \.\./evil\.UNet"),
        ({"unet": ["no_such_folder", "UNet"]}, r"needs no_such_folder\.UNet"),
        ({"_class_name": "NoSuchPipeline"}, r"needs diffusers\.NoSuchPipeline"),
    ],
)
def test_a_class_is_a_librarys_own(index: dict[str, Any], what: str) -> None:
    """A module, a function or a path in its place is not installed either."""
    known = {"_class_name": "StableDiffusionPipeline", **index}
    configs = Configs(model="me/model", model_index=known, components={"unet": {}})

    with pytest.raises(MpsDoctorError, match=what):
        trace(configs, [(64, 64)], "float32")


def test_an_architecture_that_does_not_fit_its_class_is_an_error(model_folder: Path) -> None:
    """It names the component."""
    configs = read_folder("me/model", model_folder)
    wrong = {"unet": configs.components["unet"] | {"block_out_channels": "none"}}

    with pytest.raises(MpsDoctorError) as raised:
        trace(replace(configs, components=configs.components | wrong), [(64, 64)], "float32")
    assert (raised.value.title, raised.value.hint) == (
        "The architecture of me/model cannot be built",
        "Its config files are incomplete, or for another release of Diffusers or Transformers.",
    )
    assert raised.value.detail.startswith("unet (UNet2DConditionModel): ")


def test_a_model_without_a_scheduler_is_an_error(model_folder: Path) -> None:
    """An index that lacks one builds a pipeline that cannot run."""
    configs = read_folder("me/model", model_folder)
    del configs.model_index["scheduler"]

    with pytest.raises(MpsDoctorError) as raised:
        trace(configs, [(64, 64)], "float32")
    assert raised.value.detail.startswith("StableDiffusionPipeline: AttributeError: 'NoneType'")


def test_a_pipeline_without_a_denoiser_is_an_error() -> None:
    """As is one that has another task: it is named with what it lacks."""
    index = {
        "_class_name": "DDPMPipeline",
        "unet": ["diffusers", "UNet2DModel"],
        "scheduler": ["diffusers", "DDPMScheduler"],
    }
    small = {
        "sample_size": 8,
        "block_out_channels": [32, 32],
        "layers_per_block": 1,
        "down_block_types": ["DownBlock2D"] * 2,
        "up_block_types": ["UpBlock2D"] * 2,
    }
    configs = Configs(
        model="me/model", model_index=index, components={"unet": small, "scheduler": {}}
    )

    with pytest.raises(MpsDoctorError) as raised:
        trace(configs, [(8, 16)], "float32")
    assert (raised.value.title, raised.value.hint) == (
        "The memory needs of me/model at 8×16 cannot be determined",
        "Its pipeline may need another size, or more than a prompt.",
    )


def test_a_size_that_the_pipeline_refuses_is_an_error(model_folder: Path) -> None:
    """With the pipeline's own words."""
    with pytest.raises(MpsDoctorError) as raised:
        trace(read_folder("small", model_folder), [(61, 64)], "float32")
    assert "The memory needs of small at 61×64 cannot be determined" == raised.value.title
    assert raised.value.detail.startswith("StableDiffusionPipeline: ValueError: ")
    assert "divisible by 8" in raised.value.detail
