"""The profile's file."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.facts.records import Facts
from mpsdoctor.planning import catalogue
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import Choice, Value, settings_of
from mpsdoctor.profile.loading import load
from mpsdoctor.profile.settings import Profile
from mpsdoctor.resources import shipped
from mpsdoctor.tuning.machine_name import machine_name
from mpsdoctor.tuning.needs import Needs
from mpsdoctor.tuning.rules import tune
from tests.support.machines import MACHINES
from tests.support.shipped_profiles import MODELS, machine, needs

pytestmark = pytest.mark.heavy

MACHINE = "Apple M1, 8 GB"
CHOICES = {
    "model": Choice("someone/a-model", "Named with `check --model`.", "model"),
    "device": Choice("mps", "torch finds it.", "device"),
    "dtype": Choice("float16", "Half the memory. And more.", "dtype", ("diffusers docs",)),
    "vae_tiling": Choice(True, "Decoded as a whole, it would not fit.", "vae-tiling"),
    "vae_slicing": Choice(False, "Nothing to slice.", "vae-slicing"),
    "width": Choice(None, "The model's own.", "size"),
    "environment.PYTORCH_ENABLE_MPS_FALLBACK": Choice("1", "Rather slow.", "fallback"),
}


def test_the_file_reads_as_a_person_would_want_it() -> None:
    """Each important value has a line with a short reason; the others and the record follow."""
    assert (
        document.write(CHOICES, {"dtype": "float32", "ignore": ["MPS101"]}, MACHINE)
        == """\
# mpsdoctor's settings for Apple M1, 8 GB.
# Edit any value: `mpsdoctor check` keeps it. A line that you delete is tuned again.
# To see the reason and the evidence for a value: `mpsdoctor profile show SETTING`.

schema_version = 1

# For this machine
device = "mps"  # torch finds it
ignore = ["MPS101"]  # Set by hand
environment.PYTORCH_ENABLE_MPS_FALLBACK = "1"  # Rather slow

# For this model
model = "someone/a-model"  # Named with `check --model`
dtype = "float32"  # Set by hand; tuned: "float16"
vae_tiling = true  # Decoded as a whole, it would not fit
# models = []  # Others that prompt files may name; each gets settings tuned for it

# Left at their defaults: variant, use_safetensors, vae_dtype, attention, attention_budget,
# vae_slicing, prime, one_prompt_at_a_time, width, height, largest_side, num_inference_steps,
# guidance_scale, scheduler, timestep_spacing, hot_folder

# With these lines `mpsdoctor check` recognizes the values that you have changed:
# Tuned: model="someone/a-model", device="mps", dtype="float16", vae_tiling=true, vae_slicing=false
# Tuned: environment.PYTORCH_ENABLE_MPS_FALLBACK="1"
"""
    )


def test_a_file_says_which_values_are_whose() -> None:
    """What is written, recorded, edited, deleted and in force, for its model and for others."""
    edits: dict[str, Value] = {"dtype": "float32", "ignore": ["MPS101"], "width": 640}
    text = document.write(CHOICES, edits, MACHINE)
    file = document.read(text.replace("vae_tiling = true", "# vae_tiling = true"))

    tuned = {name: one.value for name, one in CHOICES.items() if one.value is not None}
    assert file.recorded == tuned
    assert file.written == {
        name: value for name, value in (tuned | edits).items()
        if name not in {"vae_tiling", "vae_slicing"}
    }  # fmt: skip
    assert (file.edits, file.deleted) == (edits, {"vae_tiling": True})
    assert (file.model, file.tuned_model) == ("someone/a-model", "someone/a-model")
    assert file.edits_for("someone/a-model") == edits
    assert file.edits_for("another/model") == {"ignore": ["MPS101"]}
    assert file.values["vae_tiling"] is False
    assert file.tuned["vae_tiling"] is True
    assert file.reasons == {
        "schema_version": "",
        "device": "torch finds it",
        "ignore": "Set by hand",
        "width": "Set by hand; tuned: not set",
        "environment.PYTORCH_ENABLE_MPS_FALLBACK": "Rather slow",
        "model": "Named with `check --model`",
        "dtype": 'Set by hand; tuned: "float16"',
    }


@pytest.mark.parametrize(
    ("text", "model", "tuned"),
    [
        ("", "shapes", "shapes"),
        ('model = "a/b"', "a/b", "a/b"),
        ('model = "a/b"\n# Tuned: model="c/d"', "a/b", "c/d"),
        ('model = "a/b"\n# Tuned: dtype="float16"', "a/b", None),
    ],
)
def test_a_file_knows_the_model_that_it_was_tuned_for(
    text: str, model: str, tuned: str | None
) -> None:
    """A file without a record was written for its own model; a damaged record has lost it."""
    file = document.read(text)
    assert (file.model, file.tuned_model) == (model, tuned)


def fits_one_screen(text: str) -> bool:
    """At most 40 lines of 100 columns, without a truncated reason."""
    lines = text.splitlines()
    return len(lines) <= 40 and max(map(len, lines)) < 100 and "…" not in text


@pytest.mark.parametrize("path", sorted(shipped("profiles").glob("*.toml")), ids=lambda p: p.stem)
def test_a_profile_that_ships_fits_one_screen(path: Path) -> None:
    """No reason is truncated."""
    assert fits_one_screen(path.read_text("utf-8"))


@pytest.mark.parametrize("path", sorted(MACHINES.glob("*.json")), ids=lambda path: path.stem)
def test_the_profile_of_every_recorded_machine_fits_one_screen(path: Path) -> None:
    """For the embedded model and for every one of the catalogue; it loads, and has no edits."""
    facts = msgspec.json.decode(path.read_bytes(), type=Facts)
    models = [Needs("shapes"), *(needs(entry.model) for entry in catalogue.load().values())]
    for model in models:
        choices = tune(facts, model)

        text = document.write(choices, {}, machine_name(facts))

        assert fits_one_screen(text), text
        file = document.read(text)
        in_force = Profile.model_validate(settings_of(choices)).model_dump(exclude_none=True)
        del in_force["schema_version"]
        variables = in_force.pop("environment").items()
        assert {**in_force, **{f"environment.{key}": value for key, value in variables}} == (
            file.values
        )
        assert ({}, file.values) == (file.edits, file.tuned)


def test_a_reason_is_cut_rather_than_the_line_too_long() -> None:
    """A value is never truncated, however long it is."""
    choices = {
        "model": Choice("x" * 120, "Named.", "model"),
        "dtype": Choice("float16", "Because " * 20, "dtype"),
    }
    lines = document.write(choices, {}, MACHINE).splitlines()

    assert f'model = "{"x" * 120}"' in lines
    [dtype] = [line for line in lines if line.startswith("dtype")]
    assert dtype.startswith('dtype = "float16"  # Because Because')
    assert dtype.endswith(" …")
    assert len(dtype) < 100


variables = st.text(max_size=9).map("environment.{}".format)
names = st.sampled_from(["model", "dtype", "width", "vae_tiling", "prime"]) | variables
values = st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text() | st.floats(0.1, 9.9)
words = st.from_regex(r"[ -~]{0,200}", fullmatch=True)
choices = st.builds(Choice, values, words, words, st.tuples(words), st.tuples(st.text()))


@given(
    st.dictionaries(names, choices),
    st.dictionaries(names, values.filter(lambda value: value is not None)),
    st.text(),
)
def test_what_is_written_is_read_again(
    tuned: dict[str, Choice], edits: dict[str, Value], machine: str
) -> None:
    """Whatever a reason, a name or a value holds, the file is TOML with the same values in it."""
    text = document.write(tuned, edits, machine)

    tomlkit.parse(text)
    nothing = document.Document()
    read = document.read(text)
    chosen = {name: choice.value for name, choice in tuned.items() if choice.value is not None}
    assert nothing.values | chosen | edits == read.values
    assert nothing.tuned | chosen == read.tuned
    assert {
        name: value
        for name, value in edits.items()
        if name not in tuned or tuned[name].value != value
    } == read.edits


FACTS = machine("m1-8gb", "2.8.0")
TUNED = tune(FACTS, needs(MODELS["sd15"]))
NOW = document.write(TUNED, {}, machine_name(FACTS))
OLDER = (Path(__file__).parent / "older" / "tuned.toml").read_text("utf-8")
"""The same profile as `NOW`, in the form with reason and evidence above each value."""

hand_edits = st.fixed_dictionaries(
    {},
    optional={
        "device": st.sampled_from(["mps", "cpu"]),
        "dtype": st.sampled_from(["float16", "bfloat16", "float32"]),
        "attention": st.sampled_from(["native", "bounded", "sliced"]),
        "attention_budget": st.integers(1, 2**20),
        "largest_side": st.sampled_from([512, 1024, 2048]),
        "vae_tiling": st.booleans(),
        "prime": st.booleans(),
        "width": st.integers(1, 256).map(lambda side: side * 8),
        "guidance_scale": st.floats(0.5, 20),
        "hot_folder": st.text(),
        "ignore": st.lists(st.text(), max_size=2),
        "models": st.lists(st.text(), max_size=2),
        "environment.PYTORCH_ENABLE_MPS_FALLBACK": st.sampled_from(["0", "1"]) | st.text(),
        "environment.MINE": st.text(),
    },
)
deletions = st.sets(
    st.sampled_from(["dtype", "attention_budget", "environment.PYTORCH_ENABLE_MPS_FALLBACK"])
)


def set_by_hand(text: str, edits: dict[str, Any], deleted: set[str], *, bare: bool) -> list[str]:
    """The lines of the file after somebody edited it; `bare` leaves no reason behind a value."""
    older = "\n[environment]\n" in text
    lines = text.split("\n")
    for name in sorted({*edits, *deleted}):
        written = name.removeprefix("environment.") if older else name
        there = [line for line in lines if line.startswith(f"{written} = ")]
        line = f"{written} = {tomlkit.item(edits[name]).as_string()}" if name in edits else None
        if there:
            behind = "" if bare else there[0][there[0].index("  # ") :]
            place = lines.index(there[0])
            lines[place : place + 1] = [line + behind] if line else []
        elif line:
            lines.insert(len(lines) if older and name.startswith("environment.") else 0, line)
    return lines


def with_a_table(lines: list[str]) -> list[str]:
    """The variables in a table at the end, as a formatter can write them."""
    variables = [line for line in lines if line.startswith("environment.")]
    others = [line for line in lines if line not in variables]
    return [*others, "[environment]", *(line.removeprefix("environment.") for line in variables)]


LAYOUTS: dict[str, Callable[[list[str]], list[str]]] = {
    "as it is": lambda lines: lines,
    "no blank lines": lambda lines: [line for line in lines if line.strip()],
    "indented": lambda lines: [f"  {line}" for line in lines],
    "aligned comments": lambda lines: [re.sub(r"(?<=\S)  # ", "\t   #", one) for one in lines],
    "closer equals signs": lambda lines: [re.sub(r"^(\S+) = ", r"\1=", one) for one in lines],
    "a table of variables": with_a_table,
}


def kept_by_hand(data: bytes, expected: dict[str, Value], path: Path) -> None:
    """Whether the file loads, and a check keeps those edits and tunes everything else again."""
    path.write_bytes(data)
    load(Profile, path, {})
    file = document.read(data.decode())
    assert expected == file.edits

    again = document.write(TUNED, file.edits, MACHINE)

    assert expected == document.read(again).edits
    assert document.read(NOW).values | expected == document.read(again).values
    assert again == document.write(TUNED, document.read(again).edits, MACHINE)


def differing(edits: dict[str, Any]) -> dict[str, Value]:
    """The edits that differ from the tuned values."""
    return {
        name: value
        for name, value in edits.items()
        if name not in TUNED or TUNED[name].value != value
    }


@given(hand_edits, deletions, st.booleans(), st.sampled_from(sorted(LAYOUTS)), st.data())
def test_edits_survive_whatever_an_editor_does_to_the_file(
    tmp_path_factory: pytest.TempPathFactory,
    edits: dict[str, Any],
    deleted: set[str],
    bare: bool,
    layout: str,
    data: st.DataObject,
) -> None:
    """Line endings, order, spaces and tables may change, and deleted values are tuned again."""
    lines = set_by_hand(NOW, edits, deleted, bare=bare)
    if data.draw(st.booleans(), label="in another order"):
        lines = data.draw(st.permutations(lines))
    text = data.draw(st.sampled_from(["\n", "\r\n"])).join(LAYOUTS[layout](lines))

    path = tmp_path_factory.getbasetemp() / "profile.toml"
    kept_by_hand(text.encode(), differing(edits), path)


@given(hand_edits, deletions, st.sampled_from(["\n", "\r\n"]))
def test_edits_of_a_file_in_the_older_form_survive(
    tmp_path_factory: pytest.TempPathFactory, edits: dict[str, Any], deleted: set[str], end: str
) -> None:
    """It is read as before, and written in the current form."""
    text = end.join(set_by_hand(OLDER, edits, deleted, bare=False))

    path = tmp_path_factory.getbasetemp() / "profile.toml"
    kept_by_hand(text.encode(), differing(edits), path)


def test_replacing_an_assignment_everywhere_is_an_edit() -> None:
    """An editor's "replace all" does not reach the record."""
    text = NOW.replace('dtype = "float16"', 'dtype = "float32"')

    assert {"dtype": "float32"} == document.read(text).edits


def test_without_its_record_all_that_is_written_is_an_edit() -> None:
    """A handwritten file, or one that lost its comments, keeps its values."""
    text = 'dtype = "float16"\nwidth = 640\n'

    assert {"dtype": "float16", "width": 640} == document.read(text).edits
