"""MPS605 to MPS608: the model that the profile names.

None of these is an error: another model renders. Without a named model they are not recorded.
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
    """A partial download looks complete, but does not load."""
    files = _model_files(facts)
    if files.state in (ModelState.COMPLETE, ModelState.PICKLED):
        return None
    partly = files.state is ModelState.PARTIAL
    offline = _is_offline(facts)
    return Finding(
        severity=Severity.WARNING if partly or offline else Severity.NOTE,
        observed=f"The model {files.model} is incomplete on this disk: {_missing(files)}."
        if partly
        else f"The model {files.model} is not on this disk.",
        expected="every file that its pipeline loads",
        impact="It cannot be loaded: HF_HUB_OFFLINE forbids downloads."
        if offline
        else "It cannot be loaded: mpsdoctor does not download while it renders.",
        remedy=Remedy(text="Choose another model: this one does not fit in memory (MPS608).")
        if _is_too_large(facts, files)
        else _fetch(files, "Download it:"),
    )


def safetensors(facts: Facts) -> Finding | None:
    """A pickle can run code while it loads, so the profile does not allow it."""
    files = _model_files(facts)
    if files.state is ModelState.COMPLETE:
        return None
    if files.state is not ModelState.PICKLED:
        raise NoAnswerError("the model is incomplete on this disk", Status.NOT_RECORDED)
    return Finding(
        severity=Severity.WARNING,
        observed=f"{files.model} has only pickled weights here: {', '.join(files.pickled)}.",
        expected="weights as safetensors",
        impact="Pickled weights can run code while they load. With use_safetensors = true, the "
        "profile's default, the model does not load.",
        remedy=_allow_pickles(files),
    )


def dtype(facts: Facts) -> Finding | None:
    """Some models exceed 65504, the largest float16; mps has bfloat16 from macOS 14 on.

    A note if nobody is known to render such a model in float16.
    """
    files = _model_files(facts)
    if files.dtype is None:
        raise NoAnswerError("its number format is not chosen yet", Status.NOT_RECORDED)
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
            f"mps has bfloat16 only from PyTorch {needed.torch} and macOS {needed.macos} on: this "
            "model does not load here.",
        )
    return None


def fits(facts: Facts) -> Finding | None:
    """All weights are in memory at once, together with what one picture needs."""
    files = _model_files(facts)
    if files.model == EMBEDDED_MODEL:
        return None
    fit, machine = needs.fit_of(facts, files), machine_of(facts)
    if fit is None or machine.limit_bytes is None:
        raise NoAnswerError(
            "the memory that it needs, or that this Mac has, is not known", Status.NOT_RECORDED
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
        impact="A picture fails because memory runs out, or the Mac swaps until it hardly "
        "responds.",
        remedy=Remedy(
            text="Choose a smaller model. This says how much is missing, and what would help:",
            commands=(shlex.join(("mpsdoctor", "plan", files.model)),),
        ),
        caveat=f"not with {files.model}, which does not fit in this Mac's memory",
    )


def _is_too_large(facts: Facts, files: ModelFiles) -> bool:
    fit = needs.fit_of(facts, files)
    return fit is not None and not fit.fits


def _model_files(facts: Facts) -> ModelFiles:
    if facts.model_files is None:
        raise NoAnswerError("no model is named", Status.NOT_RECORDED)
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
        observed=f"{files.model} would be loaded in {files.dtype}.",
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
    return f"missing are {named} and {more} more" if more > 0 else f"missing: {named}"


def _fetch(files: ModelFiles, text: str) -> Remedy:
    if files.model == EMBEDDED_MODEL:
        return Remedy(text="It ships with mpsdoctor: install mpsdoctor again.")
    if _is_folder(files):
        return Remedy(text="Add the missing files to that folder; model_index.json names them.")
    return Remedy(text=text, commands=(shlex.join(("mpsdoctor", "pull", files.model)),))


def _allow_pickles(files: ModelFiles) -> Remedy:
    trust = "If you trust its authors, set use_safetensors = false in the profile."
    if _is_folder(files):
        return Remedy(text=trust)
    return _fetch(
        files,
        f"{trust} Better: see whether it is also published as safetensors, and download it again:",
    )


def _is_folder(files: ModelFiles) -> bool:
    return files.model.startswith(("/", "~", "."))


def _is_offline(facts: Facts) -> bool:
    values = facts.environment.variables if facts.environment else {}
    named = (values.get(name) for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
    return any((value or "").lower() in _TRUE for value in named)
