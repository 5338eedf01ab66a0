"""Two short pictures with one profile."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.measurement import Measurement
from mpsdoctor.profile.settings import Profile
from mpsdoctor.rendering.measure import measure, step_seconds


@given(st.lists(st.tuples(st.integers(1, 20), st.floats(0.001, 1e4)), min_size=1, max_size=9))
def test_steps_between_two_that_are_told_count_as_equally_long(
    intervals: list[tuple[int, float]],
) -> None:
    """On mps only some ends are told. One step is not as long as several."""
    ends = [(1, 5.0)]
    for steps, seconds in intervals:
        ends.append((ends[-1][0] + steps, ends[-1][1] + steps * seconds))

    each = [seconds for steps, seconds in intervals for _ in range(steps)]
    assert step_seconds(ends) == pytest.approx(each)


NO_MEMORY = "MPS backend out of memory"


class Pipe:
    """A pipeline without networks, which tells of each step; the n-th call can raise `error`."""

    components: ClassVar[dict[str, Any]] = {}
    device = torch.device("cpu")

    def __init__(self, error: Exception | None = None, fails_at: int = 1) -> None:
        self.error, self.fails_at = error, fails_at
        self.steps: list[int] = []
        self.placed: list[str] = []

    def register_to_config(self, **_: Any) -> None:
        """Diffusers notes where a pipeline is from."""

    def set_progress_bar_config(self, *, disable: bool) -> None:
        assert disable

    def to(self, device: str) -> None:
        self.placed.append(device)

    def __call__(
        self,
        prompt: list[str],
        num_inference_steps: int = 50,
        generator: Any = None,
        output_type: str = "pil",
        callback_on_step_end: Any = None,
        guidance_scale: float = 1.0,
    ) -> Any:
        """A picture of noise."""
        assert ["a photo of an astronaut riding a horse on mars"] == prompt
        assert ([0], "np", 1.0) == (
            [one.initial_seed() for one in generator], output_type, guidance_scale
        )  # fmt: skip
        self.steps.append(num_inference_steps)
        if self.error and len(self.steps) == self.fails_at:
            raise self.error
        self.num_timesteps = num_inference_steps
        for step in range(num_inference_steps):
            callback_on_step_end(self, step, 0.0, {})
        return SimpleNamespace(images=np.random.default_rng(0).random((1, 8, 8, 3)))


class Silent(Pipe):
    """It has no callback."""

    def __call__(  # type: ignore[override]
        self,
        prompt: list[str],
        num_inference_steps: int = 50,
        generator: Any = None,
        output_type: str = "pil",
    ) -> Any:
        """A picture of noise."""
        assert len(prompt) == len(generator)
        assert (output_type, True) == ("np", num_inference_steps in (2, 3))
        return SimpleNamespace(images=np.random.default_rng(0).random((1, 8, 8, 3)))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[[Pipe], Measurement]:
    activated: list[Profile] = []
    monkeypatch.setattr(Profile, "activate", lambda self: activated.append(self))

    def run(pipe: Pipe) -> Measurement:
        def loads(*_: object, **__: object) -> Pipe:
            assert activated, "its variables come before the model"
            return pipe

        monkeypatch.setattr(DiffusionPipeline, "from_pretrained", loads)
        return measure(Profile(model="shapes", device="cpu", guidance_scale=1.0), 3)

    return run


def test_all_steps_but_the_first_of_two_pictures_are_measured(
    measured: Callable[[Pipe], Measurement],
) -> None:
    """After a warm-up of two steps, which does not count."""
    pipe = Pipe()
    found = measured(pipe)

    assert ([2, 3, 3], ["cpu"]) == (pipe.steps, pipe.placed)
    assert 2 * 2 == len(found.step_seconds)
    assert all(seconds >= 0 for seconds in found.step_seconds)
    assert ("", None, False) == (found.problem, found.peak_bytes, found.short_of_memory)
    assert found.swapped_bytes >= 0


def test_a_pipeline_that_does_not_report_its_steps_cannot_be_measured(
    measured: Callable[[Pipe], Measurement],
) -> None:
    """Its pictures are fine."""
    found = measured(Silent())

    assert ((), "this pipeline does not report its steps") == (found.step_seconds, found.problem)


@pytest.mark.parametrize("fails_at", [1, 3])
@pytest.mark.parametrize(
    ("error", "problem", "short_of_memory"),
    [
        (RuntimeError("x"), "RuntimeError: x", False),
        (
            RuntimeError("MPS backend out of memory"),
            "RuntimeError: MPS backend out of memory",
            True,
        ),
        (ValueError("x"), "ValueError: x", False),
        (TypeError("x"), "TypeError: x", False),
        (MemoryError("x"), "MemoryError: x", True),
        (MpsDoctorError("Flat", detail="Really."), "Flat", False),
    ],
)
def test_a_picture_that_fails_is_the_candidates_problem(
    measured: Callable[[Pipe], Measurement],
    error: Exception,
    problem: str,
    short_of_memory: bool,
    fails_at: int,
) -> None:
    """Of the warm-up or of what is timed; anything else is a fault of ours."""
    assert measured(Pipe(error, fails_at)) == Measurement(
        problem=problem, short_of_memory=short_of_memory
    )
    with pytest.raises(KeyError):
        measured(Pipe(KeyError("ours")))
