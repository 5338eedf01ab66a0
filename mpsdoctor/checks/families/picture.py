"""MPS312: whether the device renders the picture that the CPU renders."""

from mpsdoctor.checks.families import renders
from mpsdoctor.checks.remedies import install_lines
from mpsdoctor.checks.report import Finding, NoAnswerError, Remedy, Severity, Status
from mpsdoctor.constants import ENV_PREFIX
from mpsdoctor.facts.records import Facts, Picture, PictureStatus
from mpsdoctor.knowledge.rendering import PICTURE
from mpsdoctor.knowledge.tolerances import judged_picture

_NO_ANSWER = {
    PictureStatus.NOT_COMPARED: ("could not be rendered", Status.SKIPPED),
    PictureStatus.CRASHED: ("crashed", Status.CRASHED),
    PictureStatus.TIMED_OUT: ("timed out", Status.TIMED_OUT),
}


def same_as_on_the_cpu(facts: Facts) -> Finding | None:
    """The embedded model's picture must have a result, the same as the CPU's up to rounding."""
    picture = _require_answer(facts)
    if picture.status is PictureStatus.OK:
        return None
    is_error = picture.device == "cpu" or PICTURE in renders.affected(facts)
    return Finding(
        severity=Severity.ERROR if is_error else Severity.WARNING,
        observed=_observed(picture),
        expected="the CPU's picture, up to rounding",
        impact=_impact(picture),
        remedy=_remedy(facts, picture),
    )


def _require_answer(facts: Facts) -> Picture:
    """Raises NoAnswerError if there is no picture: silence never passes for ok."""
    picture = judged_picture(facts)
    if picture is None:
        raise NoAnswerError(
            "no picture was rendered; `mpsdoctor check --render` asks for one", Status.NOT_RECORDED
        )
    if picture.status in _NO_ANSWER:
        fate, status = _NO_ANSWER[picture.status]
        detail = f": {picture.detail}" if picture.detail else ""
        raise NoAnswerError(f"the picture {fate}{detail}", status)
    mps_available = facts.torch is not None and facts.torch.mps_available
    if mps_available and picture.device == "cpu" and picture.status is PictureStatus.OK:
        raise NoAnswerError("the picture was rendered on the CPU only")
    return picture


def _observed(picture: Picture) -> str:
    device = "The CPU" if picture.device == "cpu" else "The GPU"
    rendered = f"{device} rendered the embedded model's picture in {picture.dtype}"
    if picture.status is PictureStatus.FAILED:
        return f"{device} does not render the embedded model's picture: {picture.detail}"
    if picture.not_finite:
        return f"{rendered}, and {picture.not_finite} of its numbers are not finite."
    return (
        f"{rendered} differently from the CPU in float32: {picture.rms or 0:.3g} levels of 255 "
        f"apart (root mean square; {picture.tolerance or 0:g} is allowed), "
        f"{picture.largest or 0:.3g} at the worst pixel."
    )


def _impact(picture: Picture) -> str:
    if picture.status is PictureStatus.FAILED:
        return "No picture is rendered."
    if picture.not_finite:
        return "Pictures are black, or parts of them."
    return "Pictures are black or noise, or do not match the prompt."


def _remedy(facts: Facts, picture: Picture) -> Remedy:
    if picture.device == "cpu":
        return Remedy(
            text="Install PyTorch again:",
            commands=install_lines(facts, "--force-reinstall", "--no-deps", "torch"),
        )
    text = " ".join(
        (
            "MPS305 and MPS310 say which arithmetic is known to be wrong, and which PyTorch does "
            "not have that fault.",
            *renders.avoided_by(facts, (PICTURE,)),
            "A check without --render does not know about this. To keep it, set device to cpu and "
            "dtype to float32 by hand.",
        )
    )
    if picture.dtype == "float32":
        return Remedy(text=text)
    return Remedy(
        text=f"{text} Perhaps dtype alone is enough: check whether the GPU is right in float32.",
        commands=(f"{ENV_PREFIX}DTYPE=float32 mpsdoctor check --render",),
    )
