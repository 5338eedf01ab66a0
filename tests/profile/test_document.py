"""The profile's file."""

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.profile import document
from mpsdoctor.profile.choice import Choice, Value, settings_of
from mpsdoctor.profile.settings import Profile

CHOICES = {
    "dtype": Choice("float16", "Half the memory.", "dtype", ("diffusers docs",)),
    "width": Choice(None, "The model's own.", "size"),
    "environment.PYTORCH_ENABLE_MPS_FALLBACK": Choice(
        "1",
        "Rather slow than not.",
        "fallback",
        ("pytorch docs", "#1"),
        ("torch 2.8", "device mps"),
    ),
}


def test_the_file_reads_as_a_person_would_want_it() -> None:
    """Each value stands under its reason, rule and sources; what is not set says so."""
    assert (
        document.write(CHOICES, {})
        == """\
# mpsdoctor's settings for this machine, each with its reason.
# Edit what you like: `mpsdoctor check` keeps a value that differs from its "tuned" comment.

schema_version = 1

# Half the memory. (rule: dtype; diffusers docs)
dtype = "float16"  # tuned: "float16"

# The model's own. (rule: size)
# width is not set  # tuned: not set

[environment]

# Rather slow than not. (rule: fallback; facts: torch 2.8, device mps; pytorch docs; #1)
PYTORCH_ENABLE_MPS_FALLBACK = "1"  # tuned: "1"
"""
    )


def test_a_reason_is_taken_apart_again() -> None:
    """Into what a rule put together, however long; a person's own words stay whole."""
    because = " ".join(["Because (so to say) of this."] * 9)
    long = Choice(True, because, "a rule", ("s 1", "s 2"), ("x", "y z"))
    reasons = document.read(document.write(CHOICES | {"prime": long}, {})).reasons

    def parts(name: str) -> tuple[str, str, str, tuple[str, ...]]:
        one = document.explanation(reasons[name])
        return one.reason, one.rule, one.facts, one.sources

    assert parts("prime") == (because, "a rule", "x, y z", ("s 1", "s 2"))
    assert parts("dtype") == ("Half the memory.", "dtype", "", ("diffusers docs",))
    assert parts("width") == ("The model's own.", "size", "", ())
    assert document.explanation("my own (rule)") == document.Explanation("my own (rule)")


def test_edits_are_known_and_kept() -> None:
    """A changed value, a value set by hand, and a new variable outlive the next writing."""
    text = (
        document.write(CHOICES, {})
        .replace('dtype = "float16"', 'dtype = "float32"')
        .replace("# width is not set  # tuned: not set", "width = 640")
        + 'MY_VARIABLE = "x"\n'
    )
    edits: dict[str, Value] = {
        "dtype": "float32",
        "width": 640,
        "environment.MY_VARIABLE": "x",
    }
    assert edits == document.read(text).edits

    again = document.write(CHOICES, document.read(text).edits)

    assert edits == document.read(again).edits
    assert 'dtype = "float32"  # tuned: "float16"' in again
    assert "width = 640  # tuned: not set" in again


names = st.sampled_from(["model", "dtype", "width", "environment.A", "environment.B-C"])
values = st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text() | st.floats(0.1, 9.9)
words = st.from_regex(r"[ -~]{0,200}", fullmatch=True)
choices = st.builds(Choice, values, words, words, st.tuples(words), st.tuples(st.text()))


@given(st.dictionaries(names, choices), st.dictionaries(names, values.filter(bool)))
def test_what_is_written_is_read_again(tuned: dict[str, Choice], edits: dict[str, Value]) -> None:
    """Whatever a reason or a value holds, the file is TOML with the same values in it."""
    text = document.write(tuned, edits)

    tomlkit.parse(text)
    read = document.read(text)
    expected = {name: choice.value for name, choice in tuned.items()} | edits
    assert {name: value for name, value in expected.items() if value is not None} == read.values
    assert {name: choice.value for name, choice in tuned.items()} == read.tuned


def test_a_written_profile_is_one_that_loads() -> None:
    """The settings of some choices construct a Profile."""
    profile = Profile.model_validate(settings_of(CHOICES))

    assert (
        profile.dtype,
        profile.environment,
    ) == ("float16", {"PYTORCH_ENABLE_MPS_FALLBACK": "1"})
