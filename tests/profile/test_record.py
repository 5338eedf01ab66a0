"""The record of tuned values in the profile's comments."""

from mpsdoctor.profile import record
from mpsdoctor.profile.choice import Choice

CHOICES = {
    "dtype": Choice("float16", "Half the memory.", "dtype"),
    "width": Choice(None, "The model's own.", "size"),
    "attention": Choice("native", "Measured with torch 2.13.0. 1.5 s a step.", "measured"),
    "attention_budget": Choice(None, "Measured with torch 2.13.0. 1.5 s a step.", "measured"),
    "environment.A B": Choice('"\n', "Why not.", "fallback"),
}
LINES = [
    r"""# Tuned: dtype="float16", environment."A B"="\"\n" """.strip(),
    '# Measured with torch 2.13.0: attention="native", attention_budget={}',
]


def test_what_was_measured_stands_apart() -> None:
    """A measured "not set" is recorded; a rule's "not set" is omitted."""
    assert LINES == list(record.write(CHOICES))
    assert record.Record(
        {"dtype": "float16", "environment.A B": '"\n', "attention": "native"}
        | {"attention_budget": None},
        dict.fromkeys(["attention", "attention_budget"], "Measured with torch 2.13.0"),
    ) == record.read("\n".join(["width = 640", *reversed(LINES)]))


def test_a_line_that_was_damaged_costs_only_its_own_values() -> None:
    """Values of a damaged line count as set by hand, and no other line is lost."""
    found = record.read(
        "\n".join(['# Tuned: dtype="float', "# Tuned: width=64", "#Tuned: prime=1"])
    )

    assert record.Record({"width": 64}) == found


def test_a_file_without_a_record_has_none() -> None:
    """A user's own comments are not a record."""
    assert record.read("# Tuned:\ndtype = 1  # Tuned: dtype=1\n# tuned: 3") is None


def test_long_values_have_lines_of_their_own() -> None:
    """No assignment is split, and each line is as full as possible."""
    long = Choice("x" * 90, "", "")
    short = Choice(1, "", "")

    lines = list(record.write({"a": short, "b": short, "c": long, "d": short}))

    assert ["# Tuned: a=1, b=1", f'# Tuned: c="{"x" * 90}"', "# Tuned: d=1"] == lines
    assert [f'# Tuned: c="{"x" * 90}"'] == list(record.write({"c": long}))
    for length, count in ((81, 1), (82, 2)):
        choices = {"a": Choice("x" * length, "", ""), "b": short}
        lines = list(record.write(choices))
        assert (count, 99 if count == 1 else 95) == (len(lines), len(lines[0]))


def test_a_line_of_the_record_is_known() -> None:
    """Indented or not; values and other comments are none."""
    for line in (*LINES, f"  {LINES[0]}\r\n"):
        assert record.is_line(line) is True
    for line in ("", "width = 640", "# Tuned by me", f"x = 1 {LINES[0]}"):
        assert record.is_line(line) is False
