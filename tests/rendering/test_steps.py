"""Which steps of the denoising are told."""

from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.rendering.steps import StepReporter, wait_for


class Device:
    """Takes `first` seconds for the first step, `each` for every other, once it is waited for."""

    def __init__(self, first: float, each: float) -> None:
        self.first, self.each = first, each
        self.now = 0.0
        self.given = self.done = 0
        self.waits = 0

    def wait(self) -> None:
        self.waits += 1
        while self.done < self.given:
            self.now += self.first if self.done == 0 else self.each
            self.done += 1


def told(device: Device, steps: int) -> list[tuple[int, int]]:
    """Each step that is told, and how many the device had done then."""
    seen: list[tuple[int, int]] = []

    def on_step(step: int, of: int) -> None:
        assert of == steps
        seen.append((step, device.done))

    reporter = StepReporter(on_step, device.wait, clock=lambda: device.now)
    for step in range(1, steps + 1):
        device.given = step
        reporter.submitted(step, steps)
    return seen


@given(st.floats(0, 60), st.floats(0, 60), st.integers(1, 150))
def test_what_is_told_has_been_done(first: float, each: float, steps: int) -> None:
    """In order, once each, the last one always; all but the last one are done by then."""
    seen = told(Device(first, each), steps)
    numbers = [step for step, _ in seen]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == steps
    assert all(done == step for step, done in seen if step < steps)


def test_long_steps_are_all_told_and_short_ones_now_and_then() -> None:
    """A device that is quick is not made to wait at every step."""
    assert [step for step, _ in told(Device(9.0, 2.0), 5)] == [1, 2, 3, 4, 5]
    quick = Device(9.0, 0.0625)
    assert [step for step, _ in told(quick, 30)] == [1, 2, 10, 18, 26, 30]
    assert quick.waits == 5


def test_a_device_that_is_done_at_once_tells_every_step() -> None:
    """The CPU has done a step when it was given it; mps has to be waited for."""
    seen: list[int] = []
    reporter = StepReporter(lambda step, _: seen.append(step), wait_for("cpu"))
    for step in (1, 2, 3):
        reporter.submitted(step, 3)
    assert seen == [1, 2, 3]
    assert wait_for("mps")
