"""The mps device of a machine: everything that decides which faults it has."""

from packaging.version import Version

from mpsdoctor.facts.records import CanaryStatus, Facts, PictureStatus
from mpsdoctor.knowledge import versions
from mpsdoctor.knowledge.tolerances import judged_canaries, judged_picture
from mpsdoctor.records import Record

_WRONG = (CanaryStatus.WRONG, CanaryStatus.FAILED)


class Device(Record):
    """None means unknown, which matches anything; `chip` is the brand, such as "Apple M1 Pro".

    `wrong` names the canaries that failed on this GPU, by a wrong result or an exception; `right`
    names those that passed. `wrong_picture` is the number format in which the GPU rendered the
    embedded model's picture wrong, if it did.
    """

    torch: Version | None = None
    macos: Version | None = None
    chip: str | None = None
    wrong: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    wrong_picture: str | None = None


def device_of(facts: Facts) -> Device:
    """What `facts` say about the device; canaries and pictures of the CPU do not count."""
    return Device(
        torch=versions.parse(facts.torch_version),
        macos=versions.parse(facts.system.macos_version),
        chip=facts.hardware.chip,
        wrong=_named(facts, *_WRONG),
        right=_named(facts, CanaryStatus.OK),
        wrong_picture=_wrong_picture(facts),
    )


def _named(facts: Facts, *statuses: CanaryStatus) -> tuple[str, ...]:
    return tuple(
        canary.name
        for canary in judged_canaries(facts) or ()
        if canary.device == "mps" and canary.status in statuses
    )


def _wrong_picture(facts: Facts) -> str | None:
    picture = judged_picture(facts)
    if picture is None or picture.device != "mps":
        return None
    return picture.dtype if picture.status in (PictureStatus.WRONG, PictureStatus.FAILED) else None
