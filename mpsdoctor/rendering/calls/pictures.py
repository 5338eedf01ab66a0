"""How many pictures a call of `generate` makes, and which value belongs to which picture."""

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mpsdoctor.errors import MpsDoctorError


@dataclass(frozen=True)
class Pictures:
    """`per_prompt` pictures for each of `prompts`: those of the first prompt come first."""

    prompts: int
    per_prompt: int

    @property
    def total(self) -> int:
        """Of all prompts."""
        return self.prompts * self.per_prompt

    def each(self, name: str, values: Any) -> list[Any]:  # noqa: ANN401
        """One value per picture, from `values` with one per prompt or one per picture.

        A tensor or an array holds one value per row; each result is such a row, still stacked.
        Raises MpsDoctorError, with the argument's name, for another number of values.
        """
        stacked = isinstance(values, torch.Tensor | np.ndarray)
        rows = [values[i : i + 1] for i in range(len(values))] if stacked else list(values)
        if stacked and len(rows) == 1:
            return rows * self.total
        if len(rows) not in (self.prompts, self.total):
            several = self.prompts > 1
            raise MpsDoctorError(
                f"{name} has {len(rows)} values for {self.prompts} prompt{'s' if several else ''}",
                detail="It takes one value for all prompts, or a list with one for each.",
                hint=f"Give one value{f', or a list of {self.prompts}' if several else ''}.",
            )
        repeats = self.per_prompt if len(rows) == self.prompts else 1
        return [row for row in rows for _ in range(repeats)]


def whole(name: str, value: Any, hint: str) -> int:  # noqa: ANN401
    """`value` as an integer of at least 1. Raises MpsDoctorError for anything else."""
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise MpsDoctorError(
            f"{name} cannot be {value!r}", detail="It is a whole number from 1 on.", hint=hint
        )
    return number
