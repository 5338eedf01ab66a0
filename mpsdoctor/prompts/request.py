"""What a prompt file asks for."""

from collections.abc import Sequence

import msgspec

from mpsdoctor.records import Record

SEEDS = 2**32
"""Seeds are from 0 to this, exclusive, as in other tools."""


class Request(Record):
    """One request of a prompt file. None leaves a setting to the profile, then to the model.

    `sampler` and `schedule_type` are A1111's names. A guidance-distilled model, such as FLUX.1-dev,
    uses `distilled_cfg_scale`, or `cfg_scale` if there is no other. `width` and `height` are in
    pixels. `model` is as written; whether the profile allows it is decided elsewhere. `notes` tell
    the user what was understood but has no effect.
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
    """One request per picture, in order, each with count 1 and a seed.

    A request with seed s gives s, s + 1, …. Pictures without a seed get `seed` plus their index
    among all pictures, from 0. Seeds wrap at `SEEDS`.
    """
    pictures: list[Request] = []
    for request in requests:
        for number in range(request.count):
            drawn = seed + len(pictures) if request.seed is None else request.seed + number
            pictures.append(msgspec.structs.replace(request, count=1, seed=drawn % SEEDS))
    return tuple(pictures)
