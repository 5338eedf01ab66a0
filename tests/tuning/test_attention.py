"""Attention, tiles and size: what fits, and the fastest of it."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mpsdoctor.facts.records import (
    Canary,
    CanaryStatus,
    Facts,
    Hardware,
    Memory,
    ProbeOutcome,
    Python,
    System,
    Torch,
)
from mpsdoctor.planning import catalogue
from mpsdoctor.planning.needs import of_model
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import Choices, settings_of
from mpsdoctor.profile.settings import Profile
from mpsdoctor.tuning.needs import Needs, needs_of
from mpsdoctor.tuning.rules import RULES, tune
from tests.support.machines import MACHINES

SD15 = "stable-diffusion-v1-5/stable-diffusion-v1-5"
SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
FLUX = "black-forest-labs/FLUX.1-dev"
GIB = 2**30


def mac(torch: str = "2.8.0", ram_gib: int | None = 16, macos: str = "15.5") -> Facts:
    """A Mac whose GPU renders."""
    return Facts(
        system=System(kernel="Darwin", macos_version=macos),
        hardware=Hardware(apple_silicon=True, ram_bytes=None if ram_gib is None else ram_gib * GIB),
        python=Python(version="3.12.8", machine="arm64"),
        torch=Torch(
            outcome=ProbeOutcome.ANSWERED, version=torch, mps_built=True, mps_available=True
        ),
    )


def model(name: str) -> Needs:
    """A common model, whose needs ship."""
    shipped = of_model(name)
    assert shipped is not None
    return needs_of(name, catalogue.find(name), shipped.footprints)


@pytest.mark.parametrize(
    ("facts", "name", "attention", "fits"),
    [
        (mac(ram_gib=8), SD15, "bounded", True),
        (mac(ram_gib=16), SDXL, "native", True),
        (mac(ram_gib=8), SDXL, "native", False),
        (mac(ram_gib=32), FLUX, "bounded", False),
        (mac(ram_gib=64), FLUX, "bounded", True),
    ],
)
def test_the_profile_is_the_fastest_that_fits(
    facts: Facts, name: str, attention: str, fits: bool
) -> None:
    """What does not fit at any size says so, with what is missing."""
    choices = tune(facts, model(name))

    assert attention == choices["attention"].value
    assert fits is (choices["largest_side"].value is not None)
    assert ("exceeds" in choices["attention"].reason) is not fits


def test_a_budget_at_the_models_own_size_costs_nothing_where_all_fits() -> None:
    """Bounded attention then only cuts larger pictures, which native could not render."""
    choices = tune(mac(ram_gib=64), model(SDXL))

    scores = 2 * 10 * 4096 * 4096 * 4
    assert int(str(choices["attention_budget"].value)) * 2**20 >= scores
    assert "splits nothing" in choices["attention_budget"].reason
    assert choices["largest_side"].value == 2048


def test_a_failed_canary_changes_what_it_stands_for() -> None:
    """Linear layers in half precision that are wrong on this very GPU are rendered in float32."""
    canary = Canary(name="linear-twice-bf16", status=CanaryStatus.WRONG, error=1.0)
    facts = replace(mac("2.12.1", 32), canaries=(canary,))

    choice = tune(facts, model(SD15))["dtype"]

    assert ("float32", "fault linear-random-on-m5") == (choice.value, choice.rule)


def test_a_raised_wired_limit_leaves_memory_to_macos() -> None:
    """torch may never take more than macOS would give by itself."""
    facts = replace(mac(ram_gib=64), memory=Memory(working_set_bytes=62 * GIB))
    environment = settings_of(tune(facts, model(SD15)))["environment"]

    assert isinstance(environment, dict)
    high = float(environment["PYTORCH_MPS_HIGH_WATERMARK_RATIO"])
    assert 0.8 < high < 1
    assert float(environment["PYTORCH_MPS_LOW_WATERMARK_RATIO"]) <= high
    assert high * 62 * GIB <= 0.84 * 64 * GIB


def slowness(choices: Choices, needs: Needs) -> tuple[float, ...]:
    """Of the work at one size: a smaller picture, tiles, and more pieces, in this order."""
    side = choices["width"].value or needs.side or 1024
    budget = choices["attention_budget"].value
    shapes = [
        call.shape.scores * 4
        for footprint in needs.in_dtype(str(choices["dtype"].value))
        for stage in footprint.stages
        for call in stage.attention
        if footprint.width == side
    ]
    pieces = max(shapes, default=0) / (int(str(budget)) * 2**20) if budget else 0
    return -float(str(side)), float(bool(choices["vae_tiling"].value)), max(pieces, 1)


@given(
    st.sampled_from([SD15, SDXL, FLUX]),
    st.sampled_from(["1.13.1", "2.4.1", "2.8.0", "2.13.0", "2.15.0"]),
    st.integers(4, 192),
    st.integers(0, 64),
)
def test_more_memory_never_gives_a_slower_profile(
    name: str, torch: str, ram_gib: int, more: int
) -> None:
    """Neither a smaller picture, nor tiles, nor more pieces."""
    needs = model(name)
    small, large = (tune(mac(torch, ram), needs) for ram in (ram_gib, ram_gib + more))

    assert slowness(large, needs) <= slowness(small, needs)


@given(
    torch=st.none() | st.text(max_size=12) | st.sampled_from(["1.13.1", "2.13.0+cpu", "2.15.0"]),
    macos=st.none() | st.text(max_size=8) | st.sampled_from(["12.6", "14.5", "26.2"]),
    chip=st.none() | st.sampled_from(["Apple M1", "Apple M5 Max", "Intel"]),
    ram=st.none() | st.integers(-1, 2**50),
    working_set=st.none() | st.integers(-1, 2**50),
    available=st.none() | st.booleans(),
    kernel=st.sampled_from(["Darwin", "Linux"]),
    needs=st.sampled_from([SD15, SDXL, FLUX]).map(model)
    | st.builds(Needs, st.text(min_size=1), side=st.none() | st.integers(-8, 9999)),
    canaries=st.none()
    | st.lists(
        st.builds(
            Canary,
            name=st.sampled_from(["baddbmm-beta-zero", "sdpa", "linear-twice-bf16", "conv3d"]),
            status=st.sampled_from(CanaryStatus),
        ),
        max_size=3,
    ).map(tuple),
)
def test_any_facts_give_a_profile_that_loads(
    torch: str | None,
    macos: str | None,
    chip: str | None,
    ram: int | None,
    working_set: int | None,
    available: bool | None,
    kernel: str,
    needs: Needs,
    canaries: tuple[Canary, ...] | None,
) -> None:
    """However odd the machine, every setting has a value and a reason, and the file is valid."""
    facts = Facts(
        system=System(kernel=kernel, macos_version=macos),
        hardware=Hardware(chip=chip, ram_bytes=ram),
        python=Python(),
        memory=Memory(working_set_bytes=working_set),
        torch=Torch(outcome=ProbeOutcome.ANSWERED, version=torch, mps_available=available),
        canaries=canaries,
    )
    choices = tune(facts, needs)

    assert set(RULES) == set(choices)
    for choice in choices.values():
        assert choice.reason
        assert choice.rule
        assert choice.facts or choice.sources
    assert needs.model == Profile.model_validate(settings_of(choices)).model
    assert document.read(document.write(choices, {}, "")).edits == {}


@pytest.mark.parametrize("path", sorted(MACHINES.glob("*.json")), ids=lambda path: path.stem)
def test_every_recorded_machine_gets_a_profile_for_every_common_model(path: Path) -> None:
    """The CPU renders in float32 with whole attention; budgets are those of bounded attention."""
    facts = msgspec.json.decode(path.read_bytes(), type=Facts)
    finds_gpu = facts.torch is not None and facts.torch.mps_available is True
    for name in (SD15, SDXL, FLUX):
        choices = tune(facts, model(name))
        profile = Profile.model_validate(settings_of(choices))
        on_mps = profile.device == "mps"

        assert (name, False) == (profile.model, on_mps and not finds_gpu)
        assert on_mps or ("float32", "native", {}) == (
            profile.dtype, profile.attention, profile.environment
        )  # fmt: skip
        assert (profile.attention == "bounded") is (profile.attention_budget is not None)
        assert profile.width == profile.height
        assert profile.largest_side is None or profile.largest_side >= (profile.width or 512)
