"""What a prompt file asks for."""

from collections.abc import Sequence

import msgspec

from mpsdoctor.records import Record

SEEDS = 2**32
"""Seeds go from 0 to this, exclusive: what other tools show and accept."""


class Request(Record):
    """One entry of a prompt file; None leaves a setting to the profile, then to the model.

    `sampler` and `schedule_type` are A1111's names. A model that was taught its guidance, such as
    FLUX.1-dev, takes `distilled_cfg_scale`, or `cfg_scale` where that stands alone. `width` and
    `height` in pixels. `model` is as written: whether the profile allows it is not known here.
    `notes` say, for the user, what was understood and has no effect.
    """

    prompt: str
    negative_prompt: str = ""
    steps: int | None = None
    sampler: str | None = None
    schedule_type: str | None = None
    cfg_scale: float | None = None
    distilled_cfg_scale: float | None = None
    seed: int | None = None
    width: int | None = None
    height: int | None = None
    model: str | None = None
    count: int = 1
    notes: tuple[str, ...] = ()


def expand(requests: Sequence[Request], seed: int) -> tuple[Request, ...]:
    """One request a picture, each with count 1 and a seed, in order.

    A request's own seed s gives s, s + 1, …; pictures without one get `seed` plus their place
    among all pictures, from 0. Seeds wrap at `SEEDS`.
    """
    pictures: list[Request] = []
    for request in requests:
        for number in range(request.count):
            drawn = seed + len(pictures) if request.seed is None else request.seed + number
            pictures.append(msgspec.structs.replace(request, count=1, seed=drawn % SEEDS))
    return tuple(pictures)
