"""The picture of `mpsdoctor check --render` in a line."""

from mpsdoctor.facts.model import Picture


def picture_line(picture: Picture | None) -> str:
    """How near it is to the CPU's and how long it took, or why there are no numbers."""
    if picture is None:
        return "Picture: not rendered; the report says why PyTorch cannot use the device."
    what = f"Picture on {picture.device} in {picture.dtype}: "
    if picture.rms is None:
        return what + (picture.detail or f"{picture.not_finite} of its numbers are not finite")
    differs = (
        f"{picture.rms:.3g} levels of 255 from the CPU's (root mean square; up to "
        f"{picture.tolerance or 0:g} is rounding), {picture.largest or 0:.3g} at most"
    )
    return (
        f"{what}{differs}; {picture.seconds or 0:.1f} s, the CPU {picture.cpu_seconds or 0:.1f} s"
    )
