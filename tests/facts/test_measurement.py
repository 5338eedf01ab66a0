"""The time and memory of a few steps."""

import pytest

from mpsdoctor.facts.measurement import Measurement


@pytest.mark.parametrize(
    ("steps", "seconds"),
    [((), float("inf")), ((3.0,), 3.0), ((1.0, 9.0, 2.0), 2.0), ((1.0, 2.0, 9.0, 4.0), 3.0)],
)
def test_a_typical_step_is_the_median(steps: tuple[float, ...], seconds: float) -> None:
    """Without a step, every other measurement is faster."""
    assert Measurement(step_seconds=steps).seconds == seconds
