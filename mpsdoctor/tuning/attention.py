"""Attention, tiles and size: the fastest way that fits."""

from mpsdoctor.knowledge.attention.pieces import DEFAULT_BUDGET_MIB, SCORE_BYTES
from mpsdoctor.profile.choice import Choice
from mpsdoctor.tuning.fit import Fit
from mpsdoctor.tuning.needs import Denoiser
from mpsdoctor.tuning.rule_input import RuleInput
from mpsdoctor.tuning.sources import GUIDE
from mpsdoctor.units import MIB, gib

_SOURCES = ("pytorch #181575", "pytorch #149261")


def attention(given: RuleInput) -> Choice:
    """Never "sliced": Diffusers' slicing is slower than pieces, or wrong, or does nothing."""
    if not given.on_mps:
        return Choice("native", "Only mps keeps all attention scores in memory.", "attention")
    if given.embedded:
        return Choice("native", "128×128 pixels leave nothing to bound.", "attention")
    if given.lacks_sdpa:
        reason = "This PyTorch has no scaled_dot_product_attention, so slicing is right."
        return Choice("sliced", reason, "attention-guide", (GUIDE,))
    fit = given.fit
    if fit is None:
        reason = "This model's needs are not known. In pieces, attention cannot fill the memory."
        return Choice("bounded", f"{reason} {_slicing(given)}", "attention-unknown", _SOURCES)
    setting = fit.outcome.setting
    reason = f"{_forecast(fit, given)} {_slicing(given)}"
    return Choice(setting.attention, reason, f"attention-{setting.attention}", _SOURCES)


def attention_budget(given: RuleInput) -> Choice:
    """The largest, and so the fastest, that fits."""
    fit = given.forecast
    if fit is None and given.on_mps and not given.lacks_sdpa and not given.embedded:
        reason = "A piece size, in MiB, that most Macs have room for."
        return Choice(DEFAULT_BUDGET_MIB, reason, "attention-unknown", _SOURCES)
    budget = fit.outcome.setting.attention_budget if fit else None
    if budget is None or fit is None:
        return Choice(None, "Attention is not bounded.", "attention-budget")
    if not fit.fits:
        reason = "The piece size, in MiB, that needs the least memory. No piece size fits."
    elif _largest_scores(fit) <= budget * MIB:
        reason = (
            "A piece size, in MiB, that splits nothing at the model's own size. The attention of "
            "larger pictures is computed in pieces of this size."
        )
    else:
        reason = "The largest piece size, in MiB, that fits. Fewer and larger pieces are faster."
    return Choice(budget, reason, "attention-budget")


def vae_tiling(given: RuleInput) -> Choice:
    """Only if decoding does not fit: tiles can leave seams."""
    source = "diffusers docs: optimization/memory"
    fit = given.forecast
    if fit is not None and fit.outcome.setting.vae_tiling:
        reason = "Decoded in one piece, the picture would not fit; tiles can leave seams."
        return Choice(True, reason, "vae-tiling", (source,))
    return Choice(False, "Tiles save memory but can leave seams.", "vae-tiling", (source,))


def side(given: RuleInput) -> Choice:
    """The model's own size, unless only a smaller one fits."""
    if given.embedded:
        return Choice(128, "The size that the embedded model was trained for.", "size")
    fit = given.forecast
    if fit is None or fit.is_usual:
        return _usual_side(given)
    chosen = min(fit.footprint.width, fit.footprint.height)
    if fit.fits:
        reason = "The model's own size does not fit. This is the largest known size that does."
        return Choice(chosen, reason, "size-fits")
    missing = gib(fit.outcome.missing_bytes)
    reason = f"Nothing fits: even the smallest known size is {missing} too large."
    return Choice(chosen, reason, "size-least")


def _usual_side(given: RuleInput) -> Choice:
    """None for a pipeline's own default, which need not be set."""
    reason, advice = "The size that the model was trained for.", given.recommended
    if advice is None or advice.side is None:
        return Choice(None, reason, "size")
    return Choice(advice.side, reason, "recommended", advice.sources)


def largest_side(given: RuleInput) -> Choice:
    """Above it the Mac would swap, the process would abort, or pictures would be wrong."""
    fit = None if given.embedded else given.forecast
    if fit is None:
        return Choice(None, "No limit is known.", "largest-side")
    reason = "The largest square, in pixels, that is forecast to fit."
    if fit.largest_side is None:
        return Choice(None, "Nothing is forecast to fit.", "largest-side")
    return Choice(fit.largest_side, reason, "largest-side", _SOURCES)


def _forecast(fit: Fit, given: RuleInput) -> str:
    size = f"{fit.footprint.width}×{fit.footprint.height}"
    peak, limit = gib(fit.outcome.peak_bytes), given.machine.limit_bytes or 0
    verdict = f"{'fits in' if fit.fits else 'exceeds'} {gib(limit)}"
    return f"The forecast of {peak} at {size} {verdict}. The limit is {given.machine.limit_from}."


def _slicing(given: RuleInput) -> str:
    """What the guide's enable_attention_slicing() would do."""
    if given.denoiser is Denoiser.TRANSFORMER:
        return "enable_attention_slicing does nothing on a transformer."
    if fault := given.slicing_fault:
        return f"Before {fault.fixed_in} enable_attention_slicing gives NaN on mps: black pictures."
    return f"enable_attention_slicing, which the guide asks for ({GUIDE}), is slower."


def _largest_scores(fit: Fit) -> int:
    """Bytes in float32, at the size of the fit."""
    calls = [call for stage in fit.footprint.stages for call in stage.attention]
    return max((call.shape.scores for call in calls), default=0) * SCORE_BYTES
