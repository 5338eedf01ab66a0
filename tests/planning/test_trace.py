"""What a trace without weights finds, beside what real modules take."""

from pathlib import Path

import pytest
import torch

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.knowledge.attention import memory
from mpsdoctor.planning.configs import ARCHITECTURES, Configs, read_file, read_folder
from mpsdoctor.planning.footprint import Stage
from mpsdoctor.planning.forecast import stage_peak
from mpsdoctor.planning.trace import trace
from tests.support import pipelines
from tests.support.allocations import peak_bytes

MIB = 2**20


def stage(configs: Configs, side: int, dtype: str, name: str) -> Stage:
    [footprint] = trace(configs, [(side, side)], dtype)
    return next(stage for stage in footprint.stages if stage.name == name)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("model", "slice_size", "measured"), [("sd15", "max", 1265.73), ("sdxl", "auto", 498.37)]
)
def test_the_figures_of_an_h100_are_met(
    model: str, slice_size: memory.SliceSize, measured: float
) -> None:
    """`torch.cuda.max_memory_allocated` of a step at 1024×1024 in float16, less the weights."""
    denoiser = stage(read_file(ARCHITECTURES / f"{model}.json"), 1024, "float16", "denoiser")
    peak = stage_peak(
        denoiser, lambda call: memory.sliced_bytes(call.shape, call.dtype, slice_size)
    )
    assert measured == pytest.approx(peak / MIB, abs=0.005)


def test_the_prediction_is_what_the_allocator_gives(tmp_path: Path) -> None:
    """A small random pipeline, its UNet run for real on the CPU, beside the trace of its files."""
    pipe = pipelines.stable_diffusion(tmp_path / "tokenizer")
    pipe.save_pretrained(tmp_path / "model")
    denoiser = stage(read_folder("small", tmp_path / "model"), 256, "float32", "denoiser")

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


def test_a_class_that_is_not_installed_is_named(tmp_path: Path) -> None:
    """Code from a model's repository is never a way out."""
    index = {"_class_name": "StableDiffusionPipeline", "unet": ["my_code", "MyUNet"]}
    configs = Configs(model="someone/model", model_index=index, components={"unet": {}})
    with pytest.raises(MpsDoctorError, match=r"my_code\.MyUNet"):
        trace(configs, [(64, 64)], "float32")


def test_a_size_that_the_pipeline_refuses_is_an_error(tmp_path: Path) -> None:
    """With the pipeline's own words."""
    pipelines.stable_diffusion(tmp_path / "tokenizer").save_pretrained(tmp_path / "model")
    with pytest.raises(MpsDoctorError) as raised:
        trace(read_folder("small", tmp_path / "model"), [(61, 64)], "float32")
    assert "divisible by 8" in raised.value.detail
