"""MPS605 to MPS608: the model that the profile names.

None of these is an error: another model renders. A model that nobody named is not recorded.
"""

import shlex

from mpsdoctor.checks.families import needs
from mpsdoctor.checks.families.profile import pins
from mpsdoctor.checks.report import Finding, Fix, FixKind, NoAnswerError, Remedy, Severity, Status
from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.facts.records import Facts, ModelFiles, ModelState
from mpsdoctor.knowledge import dtypes
from mpsdoctor.knowledge.device import device_of
from mpsdoctor.planning.forecast import machine_of
from mpsdoctor.units import gib

_MOST_NAMED = 5
_TRUE = frozenset({"1", "on", "yes", "true"})


def on_disk(facts: Facts) -> Finding | None:
    """A model is downloaded once; one that was cut short looks as if it were there."""
    files = _model_files(facts)
    if files.state in (ModelState.COMPLETE, ModelState.PICKLED):
        return None
    partly = files.state is ModelState.PARTIAL
    offline = _is_offline(facts)
    return Finding(
        severity=Severity.WARNING if partly or offline else Severity.NOTE,
        observed=f"The model {files.model} is not complete on this disk: {_missing(files)}."
        if partly
        else f"The model {files.model} is not on this disk.",
        expected="every file that its pipeline loads",
        impact="It cannot be loaded: HF_HUB_OFFLINE forbids downloads."
        if offline
        else "mpsdoctor does not download while it renders: until then it cannot load it.",
        remedy=Remedy(text="Choose another model: this one does not fit here (MPS608).")
        if _is_too_large(facts, files)
        else _fetch(files, "Download it:"),
    )


def safetensors(facts: Facts) -> Finding | None:
    """A pickle can run code while it loads, which is why the profile refuses it."""
    files = _model_files(facts)
    if files.state is ModelState.COMPLETE:
        return None
    if files.state is not ModelState.PICKLED:
        raise NoAnswerError("the model is not complete on this disk", Status.NOT_RECORDED)
    return Finding(
        severity=Severity.WARNING,
        observed=f"Of {files.model} only pickled weights are here: {', '.join(files.pickled)}.",
        expected="weights as safetensors",
        impact="Pickled weights can run code while they load; with use_safetensors = true, the "
        "profile's default, the model does not load.",
        remedy=_allow_pickles(files),
    )


def dtype(facts: Facts) -> Finding | None:
    """float16 ends at 65504, and some models do not; mps has bfloat16 from macOS 14 on.

    A note where nobody is known to render such a model in float16.
    """
    files = _model_files(facts)
    if files.dtype is None:
        raise NoAnswerError("its number format has yet to be chosen", Status.NOT_RECORDED)
    family = dtypes.family(files.model, files.pipeline)
    device = device_of(facts)
    has_bfloat16 = dtypes.has_bfloat16(device.torch, device.macos)
    use = needs.tuned_dtype(facts, files)
    if family is not None and files.dtype in family.fails:
        return _fails(facts, files, use, f"In {files.dtype} {family.name} fails: {family.why}.")
    if family is not None and not dtypes.is_known_to_work(family, files.dtype):
        impact = f"Pictures can be black: {family.why}."
        return _fails(facts, files, use, impact, Severity.NOTE)
    if files.dtype == "bfloat16" and has_bfloat16 is None:
        raise NoAnswerError("whether mps has bfloat16 here is not known", Status.NOT_RECORDED)
    if files.dtype == "bfloat16" and not has_bfloat16:
        needed = dtypes.load().bfloat16
        return _fails(
            facts,
            files,
            use,
            f"mps has bfloat16 from PyTorch {needed.torch} and macOS {needed.macos} on: this model "
            "does not load here.",
        )
    return None


def fits(facts: Facts) -> Finding | None:
    """All weights are in memory at once, and what one picture takes beside them."""
    files = _model_files(facts)
    if files.model == EMBEDDED_MODEL:
        return None
    fit, machine = needs.fit_of(facts, files), machine_of(facts)
    if fit is None or machine.limit_bytes is None:
        raise NoAnswerError(
            "what it needs, or what this Mac gives, is not known", Status.NOT_RECORDED
        )
    if fit.fits:
        return None
    least = fit.footprint
    return Finding(
        severity=Severity.WARNING,
        observed=f"{files.model} takes {gib(fit.outcome.peak_bytes)} at {least.width}×"
        f"{least.height} in {least.dtype}, {gib(least.weights_bytes)} of it for its weights "
        "(forecast).",
        expected=f"at most {gib(machine.limit_bytes)}, {machine.limit_from}",
        impact="A picture ends with an error, for want of memory, or the Mac swaps until it hardly "
        "moves.",
        remedy=Remedy(
            text="Choose a smaller model. This says what is missing, and what would help:",
            commands=(shlex.join(("mpsdoctor", "plan", files.model)),),
        ),
        caveat=f"not with {files.model}, which does not fit in this Mac's memory",
    )


def _is_too_large(facts: Facts, files: ModelFiles) -> bool:
    fit = needs.fit_of(facts, files)
    return fit is not None and not fit.fits


def _model_files(facts: Facts) -> ModelFiles:
    if facts.model_files is None:
        raise NoAnswerError("nobody named a model", Status.NOT_RECORDED)
    return facts.model_files


def _fails(
    facts: Facts,
    files: ModelFiles,
    use: str,
    impact: str,
    severity: Severity = Severity.WARNING,
) -> Finding:
    pinned = pins(facts, "dtype", files.dtype)
    return Finding(
        severity=severity,
        observed=f"{files.model} is to be loaded in {files.dtype}.",
        expected=use,
        impact=impact,
        remedy=Remedy(
            text=f'Write dtype = "{use}" into the profile.'
            + (" It takes twice the memory." if use == "float32" else ""),
            fix=Fix(kind=FixKind.SETTINGS, settings=("dtype",)) if pinned else None,
        ),
    )


def _missing(files: ModelFiles) -> str:
    named = ", ".join(files.missing[:_MOST_NAMED])
    more = len(files.missing) - _MOST_NAMED
    return f"{named} and {more} more are missing" if more > 0 else f"{named} missing"


def _fetch(files: ModelFiles, text: str) -> Remedy:
    if files.model == EMBEDDED_MODEL:
        return Remedy(text="It ships with mpsdoctor: install mpsdoctor again.")
    if _is_folder(files):
        return Remedy(text="Complete that folder: model_index.json names what belongs in it.")
    return Remedy(text=text, commands=(shlex.join(("mpsdoctor", "pull", files.model)),))


def _allow_pickles(files: ModelFiles) -> Remedy:
    trust = "If you trust its authors, set use_safetensors = false in the profile."
    if _is_folder(files):
        return Remedy(text=trust)
    return _fetch(
        files,
        f"{trust} Better, see whether it is published as safetensors too, and download it again:",
    )


def _is_folder(files: ModelFiles) -> bool:
    return files.model.startswith(("/", "~", "."))


def _is_offline(facts: Facts) -> bool:
    values = facts.environment.variables if facts.environment else {}
    named = (values.get(name) for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
    return any((value or "").lower() in _TRUE for value in named)
