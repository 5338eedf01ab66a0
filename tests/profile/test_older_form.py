"""Profiles in the older form, with a reason above each value."""

from pathlib import Path

from mpsdoctor.profile import document, older_form
from mpsdoctor.profile.record import Record

OLDER = Path(__file__).parent / "older"


def test_reasons_are_read_without_their_evidence() -> None:
    """Evidence is dropped, and a user's own comment above a value is a reason too."""
    text = OLDER.joinpath("tuned.toml").read_text("utf-8")
    tuned, reasons = older_form.read(f"# mine (rule)\nhot_folder = '~/x'\n{text}")

    assert "Half the memory of float32." == reasons["dtype"]
    assert "The size that the model was trained for." == reasons["width"]
    assert "mine (rule)" == reasons["hot_folder"]
    assert ("1.0", None) == (
        tuned.values["environment.PYTORCH_MPS_HIGH_WATERMARK_RATIO"],
        tuned.values["width"],
    )
    assert not tuned.measured


def test_each_line_has_its_value_and_its_reason() -> None:
    """Evidence of a measurement is kept, other evidence is not, and a blank line ends a reason."""
    text = """\
# A note.

# Half the
# memory. (rule: dtype; facts: device mps; diffusers docs: optimization/mps)
dtype = "float32"  # tuned: "float16"
# Faster. (rule: measured; facts: torch 2.13.0, diffusers 0.42.1; 1.5 s)
# width is not set  # tuned: not set
prime = true
[environment]
# Slow. (rule: fallback)
A = "1"  # tuned: "2"
environment = "3"  # tuned: "3"

[other]
environment = "4"
"""
    tuned, reasons = older_form.read(text)

    assert tuned == Record(
        {"dtype": "float16", "width": None, "environment.A": "2", "environment.environment": "3"},
        {"width": "Measured with torch 2.13.0, diffusers 0.42.1"},
    )
    assert reasons == {
        "dtype": "Half the memory.",
        "width": "Faster.",
        "prime": "",
        "environment.A": "Slow.",
        "environment.environment": "",
        "other": "",
    }


def test_what_was_measured_is_known() -> None:
    """A measured value keeps its releases, and can be "not set"."""
    file = document.read(OLDER.joinpath("measured.toml").read_text("utf-8"))

    why = "Measured with torch 2.13.0, diffusers 0.42.1"
    measured = {name for name, reason in file.reasons.items() if reason == why}
    assert {"attention", "attention_budget", "dtype"} == measured
    assert ("native", None) == (file.tuned["attention"], file.tuned["attention_budget"])
    assert {} == file.edits


def test_a_comment_that_was_damaged_makes_its_value_an_edit() -> None:
    """A damaged comment loses no value."""
    assert {"width": 640} == document.read('width = 640  # tuned: "\n').edits
