"""The fastest way to render a model that fits a machine; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mpsdoctor.knowledge.attention.pieces import SCORE_BYTES
from mpsdoctor.planning.footprint import Footprint
from mpsdoctor.planning.forecast import Machine, Outcome, forecast
from mpsdoctor.units import MIB

BUDGETS = (4096, 2048, 1024, 512, 256, 128, 64)
"""Of bounded attention, in MiB: the larger, the fewer pieces, and the faster."""

USUAL_SIDE = 1024
"""In pixels, for a model that does not say."""


@dataclass(frozen=True)
class Fit:
    """One way to render, at the size of `footprint`.

    `is_usual` is whether the model was trained for that size. `fits` is whether the peak is within
    the machine's limit; if nothing fits, this is the way that needs the least. `largest_side` is
    that of the largest square picture that fits this way, in pixels.
    """

    footprint: Footprint
    outcome: Outcome
    is_usual: bool
    fits: bool
    largest_side: int | None


def fastest(footprints: Sequence[Footprint], side: int | None, machine: Machine) -> Fit | None:
    """The fastest way at the model's own size, else at the largest that fits.

    None if no footprint is known, or the machine's limit is not. `side` is that of the pictures
    that the model was trained for.
    """
    known = sorted(footprints, key=lambda one: one.width * one.height)
    wanted = side or USUAL_SIDE
    usual = next((one for one in known if min(one.width, one.height) >= wanted), None)
    if usual is None or machine.limit_bytes is None:
        return None
    smaller = [
        one for one in reversed(known) if one.width * one.height < usual.width * usual.height
    ]
    for footprint in (usual, *smaller):
        outcome = next(filter(_is_safe, _ways(footprint, machine)), None)
        if outcome is not None:
            chosen = _without_loss(footprint, outcome, known, machine)
            return _fit(footprint, chosen, known, machine, is_usual=footprint is usual)
    least = min(_ways(known[0], machine), key=lambda one: (one.cliff is not None, one.peak_bytes))
    return Fit(known[0], least, known[0] is usual, fits=False, largest_side=None)


def _fit(
    footprint: Footprint,
    outcome: Outcome,
    known: Sequence[Footprint],
    machine: Machine,
    *,
    is_usual: bool,
) -> Fit:
    return Fit(
        footprint, outcome, is_usual, fits=True, largest_side=_largest_side(outcome, known, machine)
    )


def _ways(footprint: Footprint, machine: Machine) -> Iterator[Outcome]:
    """The fastest first: tiles cost only the decoding, pieces every step."""
    yield from forecast(footprint, machine, ["native"], BUDGETS[0]).outcomes
    for budget in BUDGETS:
        yield from forecast(footprint, machine, ["bounded"], budget).outcomes


def _is_safe(outcome: Outcome) -> bool:
    return outcome.fits is True and outcome.cliff is None


def _without_loss(
    footprint: Footprint, outcome: Outcome, known: Sequence[Footprint], machine: Machine
) -> Outcome:
    """Bounded attention instead of native if that allows larger pictures.

    With a budget that splits nothing at this size, it is as fast.
    """
    if outcome.setting.attention != "native":
        return outcome
    scores = max(
        (call.shape.scores for stage in footprint.stages for call in stage.attention), default=0
    )
    for budget in reversed(BUDGETS):
        if budget * MIB >= scores * SCORE_BYTES:
            bounded = next(
                one
                for one in forecast(footprint, machine, ["bounded"], budget).outcomes
                if one.setting.vae_tiling == outcome.setting.vae_tiling
            )
            reach = _largest_side(bounded, known, machine), _largest_side(outcome, known, machine)
            return bounded if (reach[0] or 0) > (reach[1] or 0) else outcome
    return outcome


def _largest_side(outcome: Outcome, known: Sequence[Footprint], machine: Machine) -> int | None:
    setting = outcome.setting
    for footprint in reversed(known):
        same = (
            one
            for one in forecast(
                footprint, machine, [setting.attention], setting.attention_budget or BUDGETS[0]
            ).outcomes
            if one.setting == setting
        )
        if any(map(_is_safe, same)):
            return min(footprint.width, footprint.height)
    return None
