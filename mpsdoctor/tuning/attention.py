"""Attention, tiles and size: the fastest way that fits."""

from mpsdoctor.profile.choice import Choice
from mpsdoctor.rendering.attention_pieces import DEFAULT_BUDGET_MIB, SCORE_BYTES
from mpsdoctor.tuning.fit import Fit
from mpsdoctor.tuning.needs import Denoiser
from mpsdoctor.tuning.sources import GUIDE
from mpsdoctor.tuning.view import View
from mpsdoctor.units import gib

_SOURCES = ("pytorch #181575", "pytorch #149261")


def attention(view: View) -> Choice:
    """Never "sliced": Diffusers' slicing is slower than pieces, or wrong, or does nothing."""
    if not view.on_mps:
        return Choice("native", "Only mps keeps whole score matrices.", "attention")
    if view.embedded:
        return Choice("native", "128×128 pixels leave nothing to bound.", "attention")
    if view.lacks_sdpa:
        reason = "This PyTorch has no scaled_dot_product_attention; in it, slicing is right."
        return Choice("sliced", reason, "attention-guide", (GUIDE,))
    fit = view.fit
    if fit is None:
        reason = "What this model needs is not known: in pieces, attention cannot fill the memory."
        return Choice("bounded", f"{reason} {_slicing(view)}", "attention-unknown", _SOURCES)
    setting = fit.outcome.setting
    reason = f"{_forecast(fit, view)} {_slicing(view)}"
    return Choice(setting.attention, reason, f"attention-{setting.attention}", _SOURCES)


def attention_budget(view: View) -> Choice:
    """The largest, and so the fastest, that fits."""
    fit = view.forecast
    if fit is None and view.on_mps and not view.lacks_sdpa and not view.embedded:
        reason = "A piece of attention for which most Macs have room."
        return Choice(DEFAULT_BUDGET_MIB, reason, "attention-unknown", _SOURCES)
    budget = fit.outcome.setting.attention_budget if fit else None
    if budget is None or fit is None:
        return Choice(None, "Attention is not bounded.", "attention-budget")
    if _largest_scores(fit) <= budget * 2**20:
        reason = (
            "Nothing is cut at the model's own size; larger pictures are computed in pieces of it."
        )
    else:
        reason = "The largest pieces, in MiB, that fit: fewer and larger pieces are faster."
    return Choice(budget, reason, "attention-budget")


def vae_tiling(view: View) -> Choice:
    """Only where decoding does not fit: tiles can leave seams."""
    source = "diffusers docs: optimization/memory"
    fit = view.forecast
    if fit is not None and fit.outcome.setting.vae_tiling:
        reason = "Decoded as a whole, the picture would not fit; tiles can leave seams."
        return Choice(True, reason, "vae-tiling", (source,))
    return Choice(False, "Tiles save memory but can leave seams.", "vae-tiling", (source,))


def side(view: View) -> Choice:
    """The model's own size, unless only a smaller one fits."""
    if view.embedded:
        return Choice(128, "The size that the embedded model was trained for.", "size")
    fit = view.forecast
    if fit is None or fit.is_usual:
        return Choice(None, "The size that the model was trained for.", "size")
    chosen = min(fit.footprint.width, fit.footprint.height)
    if fit.fits:
        reason = (
            "The model's own size does not fit in this Mac's memory; this is the largest known to."
        )
        return Choice(chosen, reason, "size-fits")
    reason = f"Nothing fits: the least that is known misses {gib(fit.outcome.missing_bytes)}."
    return Choice(chosen, reason, "size-least")


def largest_side(view: View) -> Choice:
    """Above it the Mac would swap, or the process end, or pictures be wrong."""
    fit = None if view.embedded else view.forecast
    if fit is None:
        return Choice(None, "No limit is known.", "largest-side")
    reason = "The largest square that is forecast to fit with these settings, in pixels."
    if fit.largest_side is None:
        return Choice(None, "Nothing is forecast to fit.", "largest-side")
    return Choice(fit.largest_side, reason, "largest-side", _SOURCES)


def _forecast(fit: Fit, view: View) -> str:
    size = f"{fit.footprint.width}×{fit.footprint.height}"
    peak, limit = gib(fit.outcome.peak_bytes), view.machine.limit_bytes or 0
    verdict = f"{'fits in' if fit.fits else 'exceeds'} {gib(limit)}, {view.machine.limit_from}"
    return f"At {size} it is forecast to take {peak}, which {verdict}."


def _slicing(view: View) -> str:
    """What the guide's enable_attention_slicing() would do."""
    if view.denoiser is Denoiser.TRANSFORMER:
        return "enable_attention_slicing does nothing on a transformer."
    if fault := view.slicing_fault:
        return f"Before {fault.fixed_in} enable_attention_slicing gives NaN on mps: black pictures."
    return f"enable_attention_slicing, which the guide asks for ({GUIDE}), is slower."


def _largest_scores(fit: Fit) -> int:
    """Bytes in float32, at the size of the fit."""
    calls = [call for stage in fit.footprint.stages for call in stage.attention]
    return max((call.shape.scores for call in calls), default=0) * SCORE_BYTES
