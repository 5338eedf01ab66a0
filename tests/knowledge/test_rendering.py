"""The number format of a model, and which one to try next."""

import pytest

from mpsdoctor.knowledge import dtypes, rendering
from mpsdoctor.knowledge.device import Device
from mpsdoctor.knowledge.faults import matching
from mpsdoctor.knowledge.versions import parse


@pytest.mark.parametrize(
    ("dtype", "torch", "macos", "other"),
    [
        ("float16", "2.14.1", "15.5", "bfloat16"),
        ("float16", "2.14.1", "13.6", "float32"),
        ("float16", "2.2.2", "15.5", "float32"),
        ("float16", "2.13.0", "26.4", "bfloat16"),
        ("float16", "2.13.0", "27.0", "float32"),
        ("float16", "2.14.1", "27.0", "bfloat16"),
        ("float16", "2.14.1", None, "float32"),
        ("bfloat16", "2.14.1", "15.5", "float32"),
        ("float32", "2.14.1", "15.5", None),
    ],
)
def test_the_next_format_is_one_that_the_gpu_computes(
    dtype: str, torch: str, macos: str | None, other: str | None
) -> None:
    """bfloat16 is next if macOS and torch are known to support it, and always on a CPU."""
    assert other == rendering.instead_of(dtype, Device(torch=parse(torch), macos=parse(macos)))
    assert rendering.instead_of("float16", None) == "bfloat16"


def device(
    torch: str | None, macos: str, chip: str, *wrong: str, picture: str | None = None
) -> Device:
    return Device(
        torch=parse(torch), macos=parse(macos), chip=chip, wrong=wrong, wrong_picture=picture
    )


XL = "stabilityai/stable-diffusion-xl-base-1.0"
BLACK, LEAK, RANDOM = "attention-float16-black", "causal-mask-leak", "linear-random-on-m5"


@pytest.mark.parametrize(
    ("found", "model", "pipeline", "dtype", "fault", "wrong"),
    [
        # The model's own format, or the one for a device without bfloat16.
        (device("2.14.1", "15.5", "Apple M1"), XL, None, "float16", None, ()),
        (device("2.14.1", "15.5", "Apple M1"), "x/y", "FluxPipeline", "bfloat16", None, ()),
        (device("2.14.1", "13.6", "Apple M1"), "x/y", "FluxPipeline", "float32", None, ()),
        # A fault requires another format, and in that format another fault a third.
        (device("2.14.1", "15.5", "Apple M1", "sdpa"), XL, None, "bfloat16", BLACK, ()),
        (device(None, "15.5", "Apple M1", "sdpa"), XL, None, "float32", BLACK, ()),
        (device("2.10.0", "15.5", "Apple M1", "sdpa-causal"), XL, None, "float32", LEAK, ()),
        (device("2.12.1", "15.5", "Apple M5"), XL, None, "float32", RANDOM, ()),
        (device("2.12.1", "15.5", "Apple M5"), "x/y", "FluxPipeline", "float32", RANDOM, ()),
        (device("2.12.1", "15.5", "Apple M5", "sdpa"), XL, None, "float32", RANDOM, ()),
        (device("2.10.0", "15.5", "Apple M1", "sdpa", "sdpa-causal"), XL, None,
         "float32", LEAK, ()),
        # No known fault helps, so the format stays and the CPU has to render.
        (device("2.5.1", "13.6", "Apple M1", "sdpa"), XL, None, "float16", None, ("sdpa",)),
        (device("2.5.1", "13.6", "Apple M1", "sdpa"), "x/y", "FluxPipeline",
         "float32", None, ()),
        (device("2.14.1", "15.5", "Apple M5", "linear-twice-bf16"), "x/y", "FluxPipeline",
         "bfloat16", None, ("linear-twice-bf16",)),
        (device("2.14.1", "15.5", "Apple M1", "argmax", "cumsum", "of-tomorrow"), XL, None,
         "float16", None, ("argmax", "of-tomorrow")),
        (device("2.4.0", "15.5", "Apple M1", "layer-norm-float16"), "x/y", "FluxPipeline",
         "bfloat16", None, ("layer-norm-float16",)),
        (device("2.6.0", "15.5", "Apple M1", "layer-norm-float16"), "x/y", "FluxPipeline",
         "bfloat16", None, ()),
        # Only some models need it, and a variable avoids it if this PyTorch reads that.
        (device("2.14.0", "26.2", "Apple M1", "conv3d"), XL, None, "float16", None, ()),
        (device("2.14.0", "26.2", "Apple M1", "conv3d"), "Qwen/Qwen-Image", None,
         "bfloat16", None, ("conv3d",)),
        (device("2.15.0", "26.2", "Apple M1", "conv3d"), "Qwen/Qwen-Image", None,
         "bfloat16", None, ()),
        # A wrong picture counts in its format, and one in float32 in every format.
        (device("2.14.1", "15.5", "Apple M1", picture="float16"), XL, None,
         "float16", None, ("picture",)),
        (device("2.14.1", "15.5", "Apple M1", picture="bfloat16"), "DeepFloyd/IF-I", None,
         "float32", None, ()),
        (device("2.14.1", "15.5", "Apple M1", picture="float16"), "DeepFloyd/IF-I", None,
         "float32", None, ()),
        (device("2.14.1", "15.5", "Apple M1", "argmax", picture="float32"), "DeepFloyd/IF-I", None,
         "float32", None, ("argmax", "picture")),
    ],
)  # fmt: skip
def test_a_model_renders_in_the_format_that_the_device_gets_right(
    found: Device,
    model: str,
    pipeline: str | None,
    dtype: str,
    fault: str | None,
    wrong: tuple[str, ...],
) -> None:
    """The format, the fault that requires it, and what stays wrong in it."""
    chosen = rendering.choose(found, model, pipeline)
    assert (chosen.dtype, chosen.fault and chosen.fault.id, chosen.wrong) == (dtype, fault, wrong)


def test_faults_are_shown_by_the_canaries_that_failed() -> None:
    """Only those that the device has, and only of the canaries that are asked for."""
    found = device("2.10.0", "15.5", "Apple M1", "sdpa", "sdpa-causal", "conv3d")
    shown = {
        name: rendering.shown_by((name,), found)
        for name in ("sdpa", "conv3d", "argmax", "baddbmm-beta-zero")
    }
    assert {name: [fault.id for fault in faults] for name, faults in shown.items()} == {
        "sdpa": [BLACK],
        "conv3d": [],
        "argmax": [],
        "baddbmm-beta-zero": [],
    }
    both = rendering.shown_by(("sdpa", "sdpa-causal"), found)
    assert [fault.id for fault in both] == [BLACK, LEAK]


@pytest.mark.parametrize("macos", ["12.6", "13.7", "14.0", "15.5", "26.2", "27.0"])
@pytest.mark.parametrize(
    "torch", ["1.13.1", "2.0.1", "2.2.2", "2.3.0", "2.9.1", "2.13.0", "2.15.0"]
)
def test_whether_there_is_bfloat16_is_one_answer(torch: str, macos: str) -> None:
    """The faults about missing bfloat16 have the same limits as the table of formats."""
    device = Device(torch=parse(torch), macos=parse(macos))
    missing = {"bfloat16-missing", "bfloat16-needs-macos-14"}
    faults = {match.fault.id for match in matching.matches(device)}
    has = dtypes.has_bfloat16(device.torch, device.macos)
    assert has or rendering.instead_of("float16", device) == "float32"
    if has:
        assert not faults & missing
