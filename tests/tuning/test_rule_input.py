"""A tuned value depends on the facts that it names, and on no others."""

from collections.abc import Callable, Iterable
from dataclasses import replace as with_needs
from typing import Final

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
    Picture,
    PictureStatus,
    ProbeOutcome,
    Python,
    System,
    Torch,
)
from mpsdoctor.knowledge import recommended
from mpsdoctor.tuning.context import Context
from mpsdoctor.tuning.needs import Denoiser, Needs
from mpsdoctor.tuning.rule_input import Input, RuleInput
from mpsdoctor.tuning.rules import RULES, tune
from tests.tuning.test_attention import FLUX, GIB, SD15, SDXL, mac, model

pytestmark = pytest.mark.heavy

Pair = tuple[Facts, Needs]


def arranged(
    gpu: bool, torch: str, macos: str, chip: str, ram: int, working_set: int | None, canary: str
) -> Facts:
    """A Mac, or where torch has no GPU perhaps another machine; every field differs with luck."""
    return Facts(
        system=System(kernel="Darwin" if gpu or ram % 2 else "Linux", macos_version=macos),
        hardware=Hardware(chip=chip, ram_bytes=ram * GIB),
        python=Python(),
        memory=Memory(working_set_bytes=None if working_set is None else working_set * GIB),
        torch=Torch(outcome=ProbeOutcome.ANSWERED, version=torch, mps_available=gpu),
        canaries=(Canary(name=canary, status=CanaryStatus.WRONG, error=1.0),) if canary else (),
        picture=Picture(status=PictureStatus.WRONG, device="mps", dtype="float16")
        if ram % 7 == 0
        else None,
    )


machines = st.builds(
    arranged,
    st.sampled_from([True, True, True, False]),
    st.sampled_from(["1.13.1", "2.4.1", "2.8.0", "2.12.1", "2.13.0", "2.15.0"]),
    st.sampled_from(["12.6", "14.5", "15.2", "26.2", "27.0"]),
    st.sampled_from(["Apple M1", "Apple M4 Pro", "Apple M5 Max"]),
    st.integers(4, 96),
    st.none() | st.integers(3, 90),
    st.sampled_from(["", "linear-twice-bf16", "sdpa", "conv3d", "linear-bias"]),
)
needed = st.sampled_from([model(name) for name in (SD15, SDXL, FLUX)]) | st.builds(
    Needs,
    st.sampled_from(["shapes", "Kwai-Kolors/Kolors-diffusers", "my/own"]),
    st.sampled_from(Denoiser),
    st.sampled_from([512, 1024]),
    st.sampled_from([None, "FluxPipeline", "StableDiffusionXLPipeline", "QwenImagePipeline"]),
    recommended=st.none() | st.sampled_from(recommended.load().model),
)
pairs = st.tuples(machines, needed)

_FORECAST: Final = (
    Input.DEVICE, Input.DTYPE, Input.TORCH, Input.MACOS, Input.RAM, Input.GPU_LIMIT,
    Input.NEEDS, Input.SIDE,
)  # fmt: skip
_ASKED = Torch(outcome=ProbeOutcome.ANSWERED)


def torch_of(facts: Facts) -> Torch:
    return facts.torch or _ASKED


def kept(one: Input, ours: Pair, theirs: Pair) -> Pair:
    """Their machine and model with our part of it."""
    (facts, needs), (other, others) = ours, theirs
    parts: dict[Input, Callable[[], Facts]] = {
        Input.TORCH: lambda: replace(
            other, torch=replace(torch_of(other), version=torch_of(facts).version)
        ),
        Input.MACOS: lambda: replace(
            other, system=replace(other.system, macos_version=facts.system.macos_version)
        ),
        Input.CHIP: lambda: replace(
            other, hardware=replace(other.hardware, chip=facts.hardware.chip)
        ),
        Input.RAM: lambda: replace(
            other, hardware=replace(other.hardware, ram_bytes=facts.hardware.ram_bytes)
        ),
        Input.GPU_LIMIT: lambda: replace(other, memory=facts.memory),
        Input.CANARIES: lambda: replace(other, canaries=facts.canaries, picture=facts.picture),
    }
    # Only a Mac has a GPU for torch.
    parts[Input.GPU] = parts[Input.SYSTEM] = lambda: replace(
        other,
        system=replace(other.system, kernel=facts.system.kernel),
        torch=replace(torch_of(other), mps_available=torch_of(facts).mps_available),
    )
    models: dict[Input, Callable[[], Needs]] = {
        Input.MODEL: lambda: with_needs(others, model=needs.model),
        Input.PIPELINE: lambda: with_needs(others, pipeline=needs.pipeline),
        Input.DENOISER: lambda: with_needs(others, denoiser=needs.denoiser),
        Input.SIDE: lambda: with_needs(others, side=needs.side),
        Input.NEEDS: lambda: with_needs(others, footprints=needs.footprints),
        Input.RECOMMENDED: lambda: with_needs(others, recommended=needs.recommended),
    }
    return parts[one]() if one in parts else other, models[one]() if one in models else others


def looked_at(setting: str, context: Context) -> set[Input]:
    """By the rule of the setting, and by those of what it takes as chosen."""
    given = RuleInput(context)
    RULES[setting](given)
    return closed(given.used, context)


def closed(used: Iterable[Input], context: Context) -> set[Input]:
    found = set(used)
    if Input.FORECAST in found:
        found = found - {Input.FORECAST} | set(_FORECAST)
    for one, setting in ((Input.DTYPE, "dtype"), (Input.DEVICE, "device")):
        if one in found:
            found = found - {one} | closed(looked_at(setting, context), context)
    return found


@pytest.mark.parametrize("setting", RULES)
@given(ours=pairs, theirs=pairs, also=st.sets(st.sampled_from(Input)))
def test_a_value_stays_where_all_facts_that_it_names_stay(
    setting: str, ours: Pair, theirs: Pair, also: set[Input]
) -> None:
    """With its reason, whatever else changes of the machine and of the model."""
    context = Context(*ours)
    mixed = theirs
    for one in looked_at(setting, context) | also:
        mixed = kept(one, ours, mixed)

    assert RULES[setting](RuleInput(context)) == RULES[setting](RuleInput(Context(*mixed)))


def test_facts_are_words_for_a_person() -> None:
    """With the versions and sizes of this machine."""
    facts = tune(mac("2.8.0", 16), model(SDXL))["attention"].facts

    assert {"device mps", "dtype float16", "torch 2.8.0", "macOS 15.5", "RAM 16 GiB"} <= set(facts)
    assert "needs from 512×512 to 2048×2048" in facts


@given(pairs, st.integers(0, 2**40))
def test_what_other_programs_hold_now_changes_nothing(pair: Pair, in_use: int) -> None:
    """A profile would otherwise change from check to check."""
    facts, needs = pair
    busy = replace(facts, memory=replace(facts.memory, in_use_bytes=in_use))

    assert tune(facts, needs) == tune(busy, needs)
