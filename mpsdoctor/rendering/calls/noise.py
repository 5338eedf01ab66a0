"""The noise that each picture starts from: its seed, or the user's generator."""

import operator
import secrets
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.request import SEEDS
from mpsdoctor.rendering.calls.pictures import Pictures

Seeds = int | Sequence[int] | None
Generators = torch.Generator | Sequence[torch.Generator] | None

_SEED_LIMIT: Final = 2**64
"""Exclusive; `torch.Generator.manual_seed` takes smaller seeds unchanged."""


def seeds_of(pictures: Pictures, seed: Seeds) -> list[int]:
    """A seed for each picture.

    A single seed is the first picture's, and counts up; without one, the first is random. A list
    has one seed per prompt, from which the prompt's pictures count up, or one per picture.

    Raises MpsDoctorError.
    """
    if seed is None:
        seed = secrets.randbelow(SEEDS)
    if isinstance(seed, Sequence | np.ndarray):
        own = [_seed(value) for value in seed]
        step = pictures.per_prompt if len(own) == pictures.prompts else 1
        return [value + number % step for number, value in enumerate(pictures.each("seed", own))]
    return [_seed(seed) + number for number in range(pictures.total)]


def generators_of(pictures: Pictures, generator: Generators) -> list[torch.Generator | None]:
    """A generator for each picture: a single one continues from picture to picture.

    Raises MpsDoctorError.
    """
    if generator is None or isinstance(generator, torch.Generator):
        return [generator] * pictures.total
    if not isinstance(generator, list | tuple):
        raise _no_generator(generator)
    for one in generator:
        if not isinstance(one, torch.Generator):
            raise _no_generator(one)
    return pictures.each("generator", generator)


def require_one(seed: Seeds, generator: Generators) -> None:
    """Raises MpsDoctorError if both are given."""
    if seed is not None and generator is not None:
        raise MpsDoctorError(
            "seed and generator are both given",
            detail="Each of them decides the noise that a picture starts from.",
            hint="Leave one of them out.",
        )


def _seed(value: Any) -> int:  # noqa: ANN401
    try:
        seed = operator.index(value)
    except TypeError:
        seed = -1
    if not 0 <= seed < _SEED_LIMIT:
        raise MpsDoctorError(
            f"seed cannot be {value!r}",
            detail=f"It is a whole number from 0 to {_SEED_LIMIT - 1}, or a list with one for each "
            "prompt.",
            hint="Leave it out for a random one. A torch.Generator goes to generator=.",
        )
    return seed


def _no_generator(value: object) -> MpsDoctorError:
    return MpsDoctorError(
        f"generator cannot be {value!r}",
        detail="It is a torch.Generator, or a list with one for each prompt.",
        hint='torch.Generator("cpu").manual_seed(1) makes one; seed=1 does the same.',
    )
