"""How to render a model on a device with faults.

Checks and tuning both use this module, so that a report and a profile cannot contradict each other.
"""

from collections.abc import Collection
from typing import Final, Literal, NamedTuple

from mpsdoctor.knowledge import canaries, dtypes, settings
from mpsdoctor.knowledge.device import Device
from mpsdoctor.knowledge.faults import matching
from mpsdoctor.knowledge.faults.fault import Fault
from mpsdoctor.knowledge.faults.matching import Certainty

PICTURE: Final = "picture"
"""Stands for a wrong picture among the names of wrong canaries."""


class Rendering(NamedTuple):
    """A number format, and the fault that requires it if it is not the model's own.

    `wrong` names what the device gets wrong in that format; with any name, the CPU renders.
    """

    dtype: str
    fault: Fault | None
    wrong: tuple[str, ...]


def choose(device: Device, model: str, pipeline: str | None) -> Rendering:
    """The model's own format, or the one that known faults require instead.

    Another format is chosen only if a known fault says that it helps.
    """
    bfloat16 = dtypes.has_bfloat16(device.torch, device.macos) is True
    family = dtypes.family(model, pipeline)
    dtype, fault = dtypes.to_render_in(family, bfloat16=bfloat16), None
    tried = [dtype]
    while asking := settings.asking_for("dtype", device, dtype):
        asked = str(asking.settings["dtype"])
        if asked == "bfloat16" and not bfloat16:
            asked = "float32"
        if asked in tried:
            break
        tried.append(asked)
        dtype, fault = asked, asking
    return Rendering(dtype, fault, affected(device, dtype, model, pipeline))


def instead_of(dtype: str, device: Device | None) -> Literal["bfloat16", "float32"] | None:
    """The format to try next if a picture in `dtype` is broken; None after float32.

    `device` is None on a CPU, which has all formats. bfloat16 needs no more memory than float16 and
    does not overflow. It is skipped if the device lacks it, or has a fault in bfloat16 alone.
    """
    if dtype == "float32":
        return None
    if dtype == "bfloat16" or (device is not None and not _is_sound_in_bfloat16(device)):
        return "float32"
    return "bfloat16"


def _is_sound_in_bfloat16(device: Device) -> bool:
    faults = (
        match.fault
        for match in matching.matches(device)
        if match.certainty is not Certainty.UNVERIFIED
    )
    has = dtypes.has_bfloat16(device.torch, device.macos) is True
    return has and all(fault.dtypes != ("bfloat16",) for fault in faults)


def affected(device: Device, dtype: str, model: str, pipeline: str | None) -> tuple[str, ...]:
    """What the model needs in this format, the device gets wrong, and no setting avoids."""
    wrong = [name for name in device.wrong if _affects(name, device, dtype, model, pipeline)]
    in_half = device.wrong_picture in ("float16", "bfloat16")
    if device.wrong_picture and not (in_half and dtype == "float32"):
        wrong.append(PICTURE)
    return tuple(wrong)


def _affects(name: str, device: Device, dtype: str, model: str, pipeline: str | None) -> bool:
    meaning = canaries.meaning_of(name)
    shown = shown_by((name,), device)
    avoided = shown and all(settings.variables_of(fault, device) for fault in shown)
    if avoided or meaning.is_tolerable(model, pipeline):
        return False
    return any(
        not formats or dtype in formats
        for formats in (meaning.dtypes, *(fault.dtypes for fault in shown))
    )


def shown_by(names: Collection[str], device: Device) -> list[Fault]:
    """The known faults that wrong canaries show on this device, the most serious first."""
    return [
        match.fault
        for match in matching.matches(device)
        if match.certainty is Certainty.DOES and match.fault.canary in names
    ]
