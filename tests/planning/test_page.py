"""A plan as a person and as a program reads it."""

import io
import json

import msgspec
from msgspec.structs import replace
from rich.console import Console, RenderableType
from rich.text import Text

from mpsdoctor.planning import page
from mpsdoctor.planning.footprint import Footprint
from mpsdoctor.planning.forecast import Attention, Forecast, Machine, Setting, forecast
from mpsdoctor.planning.page import Plan, Tuned
from tests.support.footprints import DENOISER, FOOTPRINT, LARGE, MIB, TEXT, call, stage

MODES: tuple[Attention, ...] = ("native", "bounded", "sliced")
MAC = Machine(
    limit_bytes=3000 * MIB,
    limit_from="what Metal recommends on this Mac",
    mps=True,
    torch="2.6.0",
    macos="15.2",
    ram_bytes=8000 * MIB,
    in_use_bytes=5500 * MIB,
)
SMALL = replace(
    FOOTPRINT,
    width=256,
    height=256,
    stages=(
        TEXT, stage("denoiser", "unet", 1600, 20, 30), stage("decoder", "vae", 160, 100, 10),
    ),
    tiled=None,
)  # fmt: skip
BIG = replace(
    FOOTPRINT,
    width=1024,
    height=1024,
    stages=(TEXT, DENOISER, stage("decoder", "vae", 160, 9000, 10)),
    tiled=None,
)


def plans(machine: Machine, *footprints: Footprint) -> list[Forecast]:
    return [forecast(one, machine, MODES, 512) for one in footprints]


def shown(part: RenderableType) -> list[str]:
    console = Console(width=100, color_system=None, file=io.StringIO())
    with console.capture() as capture:
        console.print(part)
    return [line.rstrip() for line in capture.get().splitlines() if line.strip()]


def verdict(machine: Machine, *footprints: Footprint) -> str:
    return page.verdict(machine, plans(machine, *footprints)).plain


def test_the_head_names_model_machine_and_profile() -> None:
    """What is not known is left out, or said to be unknown."""
    forecasts = plans(MAC, SMALL)
    tuned = Tuned(device="cpu", setting=Setting(attention="bounded", attention_budget=64))

    assert page.head(MAC, forecasts, tuned).plain.splitlines() == [
        "me/model in float16 (MyPipeline)",
        "  weights     2.0 GiB  text 0.24, denoiser 1.6, decoder 0.16",
        "  limit       2.9 GiB  what Metal recommends on this Mac; PyTorch 2.6.0, macOS 15.2",
        "  in use      5.4 GiB  by other programs and the system now; they leave 2.4 GiB",
        "  profile  bounded (64 MiB) attention on cpu",
    ]
    unknown = Machine(limit_bytes=None, limit_from="nothing", mps=True, ram_bytes=1)
    assert page.head(unknown, forecasts, None).plain.splitlines()[2:] == [
        "  limit     not known  nothing; PyTorch not known, macOS not known"
    ]
    linux = replace(unknown, mps=False, torch="2.6", ram_bytes=None, in_use_bytes=1)
    assert page.head(linux, forecasts, None).plain.splitlines()[2:] == [
        "  limit     not known  nothing; PyTorch 2.6"
    ]


def test_each_size_is_a_line_with_its_peaks_and_what_fits() -> None:
    """Without VAE tiling, whose effect is in the last column."""
    assert shown(page.sizes(plans(MAC, SMALL, FOOTPRINT, BIG))) == [
        "peak memory in GiB, with the weights",
        "  size        native   bounded   sliced   what fits",
        " ──────────────────────────────────────────────────────────────────────────",
        "  256×256        2.1       2.1      2.1   native",
        "  512×768        3.9       3.9      3.9   bounded (512 MiB) and VAE tiling",
        "  1024×1024     10.8      10.8     10.8   nothing",
    ]
    unknown = replace(MAC, limit_bytes=None)
    assert shown(page.sizes(plans(unknown, SMALL)))[-1].split() == [
        "256×256", "2.1", "2.1", "2.1", "not", "known",
    ]  # fmt: skip


def test_the_colours_say_what_fits() -> None:
    """Green fits, red does not, and without a limit there is no colour."""

    def styles(machine: Machine) -> list[str]:
        cells = page.sizes(plans(machine, SMALL, FOOTPRINT)).columns[1].cells
        return [str(cell.style) for cell in cells if isinstance(cell, Text)]

    assert ["green", "red"] == styles(MAC)
    assert ["", ""] == styles(replace(MAC, limit_bytes=None))
    best = page.sizes(plans(MAC, SMALL, BIG)).columns[4].cells
    assert ["green", "red"] == [str(cell.style) for cell in best if isinstance(cell, Text)]
    said = page.verdict(MAC, plans(MAC, FOOTPRINT, BIG))
    assert ["green", "red", "yellow"] == [str(span.style) for span in said.spans]


def test_each_setting_is_a_line_with_its_stages() -> None:
    """Activations alone, and the largest array of all stages."""
    assert shown(page.stages(plans(MAC, FOOTPRINT)[0])) == [
        "512×768: activations in GiB by stage",
        "  attention                          text   denoiser   decoder   largest buffer",
        " ───────────────────────────────────────────────────────────────────────────────",
        "  native                             0.06        1.6       2.0              1.0",
        "  native and VAE tiling              0.06        1.6      0.39              1.0",
        "  bounded (512 MiB)                  0.06       0.86       2.0             0.50",
        "  bounded (512 MiB) and VAE tiling   0.06       0.86      0.39             0.50",
        "  sliced                             0.06       0.36       2.0             0.49",
        "  sliced and VAE tiling              0.06       0.36      0.39             0.29",
    ]


def test_what_aborts_or_is_wrong_is_marked_and_explained_once() -> None:
    """A cliff replaces the peak of its size, and marks its stage."""
    huge = call(1, 1, 2**16, 2**15, dtype="float32")  # 8 GiB of scores
    denoiser = replace(DENOISER, components=("unet",), attention=(LARGE, huge))
    footprint = replace(FOOTPRINT, stages=(TEXT, denoiser), tiled=None)
    old, new = replace(MAC, limit_bytes=2**60), replace(MAC, limit_bytes=2**60, macos="26.0")

    assert "aborts" in shown(page.sizes(plans(old, footprint)))[-1].split()[1]
    assert "wrong" in shown(page.sizes(plans(new, footprint)))[-1].split()[1]
    marked = list(page.sizes(plans(old, footprint)).columns[1].cells)
    assert ["red"] == [str(cell.style) for cell in marked if isinstance(cell, Text)]
    for machine, mark in ((old, "aborts"), (new, "wrong")):
        line = shown(page.stages(plans(machine, footprint)[0]))[3]
        assert ["native", "0.06", "16.0", mark, "8.0"] == line.split()
    fits = "Largest of these that fits: 512×768, with attention bounded (512 MiB).\n"
    crowd = "512×768 fits this Mac, but not beside the programs that are open now: "
    assert verdict(replace(old, in_use_bytes=None), footprint, footprint) == (
        f"{fits}aborts: an array exceeds 4 GiB, and Metal aborts the process (pytorch #149261)."
    )
    assert verdict(replace(new, in_use_bytes=None), footprint) == (
        f"{fits}wrong: a score matrix of 2^31 elements or more gives wrong pictures, without an "
        "error (pytorch #179352)."
    )
    assert crowd in verdict(old, footprint)


def test_a_size_that_only_cliffs_prevent_does_not_work_with_any_setting() -> None:
    """Its memory is not what is missing."""
    huge = call(1, 1, 2**16, 2**15, dtype="float32")
    vae = replace(DENOISER, components=("transformer",), attention=(huge,))
    footprint = replace(FOOTPRINT, stages=(vae,), tiled=None)
    machine = replace(MAC, limit_bytes=2**60, in_use_bytes=None)
    [one] = [forecast(footprint, machine, ["native"], 512)]

    assert page.verdict(machine, [one]).plain.splitlines()[0] == (
        "512×768 does not work here with any setting."
    )


def test_the_verdict_says_what_fits_and_what_is_missing() -> None:
    """With what would help: a smaller size that fits, smaller weights or another format."""
    alone = replace(MAC, in_use_bytes=None)
    missing = "1024×1024 does not fit: 7.8 GiB are missing, with attention native."

    assert verdict(alone, SMALL, FOOTPRINT, BIG) == (
        "Largest of these that fits: 512×768, with attention bounded (512 MiB) and VAE "
        f"tiling.\n{missing} 512×768 fits."
    )
    assert verdict(alone, BIG) == f"{missing} Try a smaller size (--size)."
    # 2010 MiB of weights: with a limit of as much, they fit by themselves.
    weights = replace(alone, limit_bytes=2010 * MIB)
    assert verdict(weights, SMALL).endswith("attention native. Try a smaller size (--size).")
    tight = replace(alone, limit_bytes=1000 * MIB)
    too_many = (
        "256×256 does not fit: 1.1 GiB are missing, with attention native. The weights alone "
        "exceed the limit by 0.99 GiB."
    )
    assert verdict(tight, SMALL) == f"{too_many} Use a smaller model."
    assert verdict(tight, replace(SMALL, dtype="float32")) == (
        f"{too_many} In half precision they take half (--dtype)."
    )
    assert verdict(replace(alone, limit_bytes=None), SMALL, BIG) == ""


def test_what_fits_but_not_beside_other_programs_is_said() -> None:
    """Only of the best setting, with the least and the most that is missing."""

    def crowded(in_use_mib: int, *footprints: Footprint, mps: bool = True) -> str:
        machine = replace(
            MAC, limit_bytes=8000 * MIB, mps=mps, in_use_bytes=in_use_mib * MIB
        )  # fmt: skip
        return verdict(machine, *footprints).splitlines()[-1]

    end = "Close other programs."
    assert crowded(5500, FOOTPRINT) == (
        "512×768 fits this Mac, but not beside the programs that are open now: 1.5 GiB are "
        f"missing. {end}"
    )
    assert crowded(6500, SMALL, FOOTPRINT, mps=False) == (
        "256×256, 512×768 fit this machine, but not beside the programs that are open now: "
        f"0.60 to 2.5 GiB are missing. {end}"
    )
    # 8000 MiB, less 2010 of weights and 2000 of activations, may be in use.
    assert end in crowded(8000 - 4010 + 1, FOOTPRINT)
    assert end not in crowded(8000 - 4010, FOOTPRINT)


def test_the_json_is_a_plan() -> None:
    """Machine, forecasts, the largest that fits and the profile's setting."""
    forecasts = plans(MAC, SMALL, FOOTPRINT, BIG)
    tuned = Tuned(device="mps", setting=Setting(attention="native"))
    text = page.as_json(MAC, forecasts, tuned)

    assert msgspec.json.decode(text, type=Plan) == Plan(
        machine=MAC, forecasts=tuple(forecasts), largest=forecasts[1], tuned=tuned
    )
    assert 1 == json.loads(text)["schema_version"]
    assert text.startswith('{\n  "schema_version": 1,\n  "machine": {\n    "limit_bytes"')
