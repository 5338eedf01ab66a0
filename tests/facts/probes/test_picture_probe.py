"""The picture: the same on a correct device, and different on a faulty one."""

import ast
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from mpsdoctor.facts.probes import picture_probe
from mpsdoctor.facts.probes.picture_probe import difference, load, render
from mpsdoctor.knowledge.tolerances import PICTURE
from mpsdoctor.resources import embedded_model
from tests.support.picture_faults import FAULTS, FaultyDevice

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def pipe() -> Iterator[Any]:
    """The embedded model, on one core as in the probe."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield load(str(embedded_model()))
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def expected(pipe: Any) -> torch.Tensor:
    """The CPU's picture of the prompt."""
    return render(pipe, "cpu", "float32")


def rendered_on(
    device: AbstractContextManager[object], pipe: Any, expected: torch.Tensor
) -> dict[str, Any]:
    """The difference between the device's picture and the CPU's."""
    with device:
        return difference(expected, render(pipe, "cpu", "float32"))


def test_the_picture_shows_what_the_prompt_says(expected: torch.Tensor) -> None:
    """It shows a green heart on the left and a purple square on the right, on black."""
    assert (3, 128, 128) == expected.shape
    left, right = expected[:, 64, 32], expected[:, 64, 96]
    assert left.argmax() == 1
    assert right.argmin() == 1
    assert expected[:, 4, 4].max() < 16


def test_a_device_that_is_right_renders_the_same_picture(pipe: Any, expected: torch.Tensor) -> None:
    """The same seed gives the same numbers."""
    same = {"not_finite": 0, "largest": 0.0, "mean": 0.0, "rms": 0.0}
    assert same == rendered_on(nullcontext(), pipe, expected)


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_device_is_seen(name: str, pipe: Any, expected: torch.Tensor) -> None:
    """If one operation is wrong, the picture differs too much from the CPU's, or is not finite."""
    device = FaultyDevice(FAULTS[name])
    found = rendered_on(device, pipe, expected)
    assert device.met
    assert found["not_finite"] or found["rms"] > PICTURE


def test_the_probe_is_older_than_this_package() -> None:
    """It compiles as Python 3.8 and imports only the standard library and what renders."""
    tree = ast.parse(Path(picture_probe.__file__).read_text("utf-8"), feature_version=(3, 8))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else _names(node))
    }
    library = {"__future__", "argparse", "json", "os", "sys", "time", "typing"}
    assert library | {"torch", "diffusers", "transformers"} == imported


def _names(node: ast.Import) -> list[str]:
    return [alias.name for alias in node.names]
