"""How long a worker may be silent."""

import pytest

from mpsdoctor.hotfolder.worker.timeouts import Phase, Timeouts, Timing
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.protocol import RenderJob, Started, Step

TIMEOUTS = Timeouts()
JOB = RenderJob(job="1", number=1, request=Request(prompt="a star"), output="image.png")


@pytest.mark.parametrize(
    ("phase", "step_seconds", "seconds"),
    [
        (Phase.LOAD, (), 900),
        (Phase.FIRST_STEP, (), 600),
        (Phase.STEP, (1.0, 2.0), 30),
        (Phase.STEP, (9.0, 5.0, 7.0), 70),
        (Phase.SAVE, (1.0,), 300),
        (Phase.SAVE, (50.0,), 500),
    ],
)
def test_a_step_may_take_ten_times_as_long_as_others_of_its_picture(
    phase: Phase, step_seconds: tuple[float, ...], seconds: float
) -> None:
    """The minimum of its phase always applies: the first step compiles shaders."""
    assert seconds == TIMEOUTS.seconds(phase, step_seconds)


def test_only_progress_puts_the_deadline_off() -> None:
    """Each step moves it, and so does a new start with another fallback."""
    progress = Timing(JOB, since=100.0)
    assert 700 == progress.deadline(TIMEOUTS)

    progress.note(Started(job="1", number=1), 110.0)
    assert (Phase.FIRST_STEP, 710) == (progress.phase, progress.deadline(TIMEOUTS))
    progress.note(Step(job="1", number=1, step=1, steps=2), 120.0)
    assert (Phase.STEP, 120 + 10 * 10) == (progress.phase, progress.deadline(TIMEOUTS))
    progress.note(Step(job="1", number=1, step=2, steps=2), 122.0)
    assert (Phase.SAVE, 422) == (progress.phase, progress.deadline(TIMEOUTS))

    progress.note(Started(job="1", number=1, fallback=2), 130.0)
    assert (Phase.FIRST_STEP, [], 730) == (
        progress.phase,
        progress.step_seconds,
        progress.deadline(TIMEOUTS),
    )
