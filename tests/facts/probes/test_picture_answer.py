"""The request for a picture, with real child processes."""

import json
import os
import re
import sys
import venv
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.facts.command import CommandResult, run
from mpsdoctor.facts.probes.picture_answer import ask
from mpsdoctor.facts.records import Picture, PictureStatus
from mpsdoctor.knowledge.tolerances import PICTURE
from mpsdoctor.resources import embedded_model

pytestmark = pytest.mark.heavy

DEADLINE = 120.0
# A pipeline that renders the same white picture every time, but for what is put in.
STAND_IN = """
import os, sys, time, types
AT_IMPORT
import torch
class DiffusionPipeline:
    renderings = 0
    @classmethod
    def from_pretrained(cls, folder, **settings):
        AT_LOADING
        return cls()
    def set_progress_bar_config(self, **settings): pass
    def to(self, device, dtype): pass
    def __call__(self, prompt, **settings):
        self.renderings += 1
        sys.stdout.write("Metal says hello")
        white = torch.ones(1, 3, 8, 8)
        if self.renderings == 1:
            AT_REFERENCE
        else:
            AT_DEVICE
        return types.SimpleNamespace(images=white)
"""


def ask_stand_in(
    folder: Path,
    place: str = "",
    code: str = "",
    deadline: float = DEADLINE,
    model: Path | None = None,
) -> Picture:
    """The answer with a stand-in for `diffusers` that runs `code` at a given place."""
    source = STAND_IN.replace(place, code) if place else STAND_IN
    source = re.sub(r"AT_[A-Z]+", "pass", source)
    for name, text in (("diffusers", source), ("transformers", "")):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(text, encoding="utf-8")
    (folder / "model_index.json").write_text("{}")
    environ = {**os.environ, "PYTHONPATH": str(folder)}
    child = partial(run, environ=environ)
    return ask(child, sys.executable, deadline, "mps", model or folder, "float16")


def said(*lines: Mapping[str, object] | str, timed_out: bool = False) -> Picture:
    """The answer of a child that printed `lines`."""
    texts = (line if isinstance(line, str) else json.dumps({"picture": line}) for line in lines)
    result = CommandResult(None if timed_out else 0, "\n".join(texts), timed_out=timed_out)
    return ask(lambda argv, timeout: result, "python", 9.0, "mps", Path("model"), "float16")


def test_another_number_format_is_near_enough() -> None:
    """The embedded model in bfloat16, the coarsest format, is within the tolerance."""
    picture = ask(run, sys.executable, DEADLINE, "cpu", embedded_model(), "bfloat16")
    assert (PictureStatus.COMPARED, "cpu", "bfloat16") == (
        picture.status,
        picture.device,
        picture.dtype,
    ), picture
    assert picture.rms is not None
    assert 0 < picture.rms < PICTURE / 2
    assert picture.seconds
    assert picture.cpu_seconds


def test_a_picture_that_is_the_same_differs_by_nothing(tmp_path: Path) -> None:
    """What the libraries print on the answer's line changes nothing."""
    picture = ask_stand_in(tmp_path)
    assert (PictureStatus.COMPARED, 0.0) == (picture.status, picture.rms), picture


@pytest.mark.parametrize(
    ("at_device", "not_finite", "largest"),
    [
        ("white[0, 0] -= 0.1", 0, 25.5),
        ("white *= 0", 0, 255.0),
        ("white[0, 0, 0, :3] = float('nan')", 3, None),
    ],
)
def test_a_picture_that_differs_says_by_how_much(
    tmp_path: Path, at_device: str, not_finite: int, largest: float | None
) -> None:
    """A wrong hue, black, NaN: the numbers say how wrong."""
    picture = ask_stand_in(tmp_path, "AT_DEVICE", at_device)
    assert (PictureStatus.COMPARED, not_finite, largest) == (
        picture.status,
        picture.not_finite,
        picture.largest and round(picture.largest, 1),
    )


@pytest.mark.parametrize(
    ("place", "code", "status", "detail"),
    [
        (
            "AT_DEVICE",
            "raise RuntimeError('MPS backend out of memory\\nsecond line')",
            PictureStatus.FAILED,
            "RuntimeError: MPS backend out of memory second line",
        ),
        (
            "AT_DEVICE",
            "os.abort()",
            PictureStatus.CRASHED,
            "Python was killed by SIGABRT, while mps rendered",
        ),
        (
            "AT_DEVICE",
            "print('assertion failed', file=sys.stderr, flush=True); os._exit(7)",
            PictureStatus.CRASHED,
            "Python ended with exit code 7: assertion failed, while mps rendered",
        ),
        (
            "AT_REFERENCE",
            "os.abort()",
            PictureStatus.CRASHED,
            "Python was killed by SIGABRT, while the CPU rendered",
        ),
        (
            "AT_REFERENCE",
            "white[0, 0] = float('inf')",
            PictureStatus.NOT_COMPARED,
            "ArithmeticError: the CPU's picture is not finite",
        ),
        ("AT_LOADING", "raise SystemExit(7)", PictureStatus.NOT_COMPARED, "SystemExit: 7"),
        (
            "AT_IMPORT",
            "import torch_that_is_not_there",
            PictureStatus.NOT_COMPARED,
            "ModuleNotFoundError: No module named 'torch_that_is_not_there'",
        ),
    ],
)
def test_whatever_happens_there_is_an_answer(
    tmp_path: Path, place: str, code: str, status: PictureStatus, detail: str
) -> None:
    """An exception on the device is a failure; an earlier one means that nothing was compared."""
    picture = ask_stand_in(tmp_path, place, code)
    assert (status, detail) == (picture.status, picture.detail)
    assert (place == "AT_DEVICE") is (picture.cpu_seconds is not None)


def test_a_hang_is_given_up(tmp_path: Path) -> None:
    """After the timeout, the stage in which it hung is known."""
    picture = ask_stand_in(tmp_path, "AT_IMPORT", "time.sleep(600)", 3.0)
    assert PictureStatus.TIMED_OUT is picture.status
    assert "no answer within 3 seconds, while the libraries were imported" == picture.detail


@pytest.mark.parametrize(
    ("stage", "doing"),
    [
        ("libraries", ", while the libraries were imported"),
        ("model", ", while the model was loaded"),
        ("cpu", ", while the CPU rendered"),
        ("device", ", while mps rendered"),
        (None, ""),
    ],
)
def test_the_stage_in_which_the_child_ended_is_named(stage: str | None, doing: str) -> None:
    """After a crash and after the timeout, with what was known by then."""
    picture = partial(Picture, device="mps", dtype="float16", cpu_seconds=2.0)
    known = ({"cpu_seconds": 2.0, "stage": "libraries"}, {"stage": stage})
    assert said(*known) == picture(
        status=PictureStatus.CRASHED, detail=f"Python ended with exit code 0{doing}"
    )
    assert said(*known, timed_out=True) == picture(
        status=PictureStatus.TIMED_OUT, detail=f"no answer within 9 seconds{doing}"
    )
    failed = PictureStatus.FAILED if stage == "device" else PictureStatus.NOT_COMPARED
    assert said(*known, {"error": "no"}) == picture(status=failed, detail="no")


def test_all_numbers_are_in_the_picture() -> None:
    """A later line adds to the earlier ones, and noise between them does not count."""
    numbers = {"not_finite": 0, "largest": 3.0, "mean": 0.5, "rms": 0.75, "seconds": 4.0}
    first = {"stage": "device", "cpu_seconds": 2.0}
    assert said(first, "noise", {"stage": "gone"}, {"stage": "done", **numbers}) == Picture(
        status=PictureStatus.COMPARED,
        device="mps",
        dtype="float16",
        not_finite=0,
        largest=3.0,
        mean=0.5,
        rms=0.75,
        seconds=4.0,
        cpu_seconds=2.0,
    )


def test_an_environment_without_the_libraries_says_what_it_lacks(tmp_path: Path) -> None:
    """A real environment with nothing in it."""
    venv.create(tmp_path, symlinks=True)
    environ = {"PATH": os.environ["PATH"]}
    python = str(tmp_path / "bin" / "python")
    picture = ask(
        partial(run, environ=environ), python, DEADLINE, "cpu", embedded_model(), "float32"
    )
    assert (PictureStatus.NOT_COMPARED, "diffusers is not installed") == (
        picture.status,
        picture.detail,
    )


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The error names the folder, and does not complain about a Hugging Face id."""
    picture = ask_stand_in(tmp_path, model=tmp_path / "gone")
    assert PictureStatus.NOT_COMPARED is picture.status
    assert f"FileNotFoundError: no model_index.json in {tmp_path / 'gone'}" == picture.detail


def test_no_python_has_crashed() -> None:
    """A Python that cannot be started is an answer too."""
    picture = ask(run, "/nonexistent/python", DEADLINE, "cpu", embedded_model(), "float32")
    assert PictureStatus.CRASHED is picture.status
    assert "could not be started" in picture.detail


@pytest.mark.parametrize(
    ("done", "status"),
    [
        ({"not_finite": 0, "rms": 200.0}, PictureStatus.COMPARED),
        ({"not_finite": 1}, PictureStatus.COMPARED),
        ({"not_finite": 0}, PictureStatus.CRASHED),
        ({"not_finite": 0, "rms": "near"}, PictureStatus.CRASHED),
        ({}, PictureStatus.CRASHED),
    ],
)
def test_only_numbers_are_a_comparison(done: dict[str, object], status: PictureStatus) -> None:
    """A last line that is unreadable or empty does not count as a comparison."""
    picture = said({"stage": "device"}, {"stage": "done", **done})
    assert status is picture.status


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["picture", "stage", "rms", "not_finite", "error", "seconds"]), inner
        )
    ),
    max_leaves=8,
)


@given(noise=st.lists(st.text() | json_values.map(json.dumps), max_size=8), late=st.booleans())
def test_no_line_can_make_the_answer_fail(noise: list[str], late: bool) -> None:
    """Whatever is printed, there is an answer that can be written and read again."""
    picture = said(*noise, timed_out=late)
    assert msgspec.json.decode(msgspec.json.encode(picture), type=Picture) == picture
