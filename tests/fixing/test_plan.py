"""What a fix is going to do, in steps and in words."""

from pathlib import Path

import pytest

from mpsdoctor.fixing.plan import Plan, make_folders, put_back, rewrite
from mpsdoctor.fixing.step import KeepCopy, MakeFolder, WriteFile
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import Choice, Value
from mpsdoctor.profile.salvage import salvage

PROFILE = Path("/settings/profile.toml")
ASIDE = Path("/settings/profile.aside.toml")
MACHINE = "Apple M1, 8 GB"
CHOICES = {
    "model": Choice("someone/a-model", "Named.", "model"),
    "attention": Choice("native", "Slicing gives NaN.", "attention"),
    "width": Choice(None, "The model's own.", "size"),
    "environment.PYTORCH_X": Choice("1", "Rather slow than not.", "fallback"),
}


def profile(**edits: Value) -> bytes:
    """A tuned profile with these values by hand."""
    return document.write(CHOICES, edits, MACHINE).encode()


def test_folders_are_made_from_the_outermost_on() -> None:
    """Each folder has a line and a step."""
    plan = make_folders([Path("/hot"), Path("/hot/inbox")])

    assert (MakeFolder(path="/hot"), MakeFolder(path="/hot/inbox")) == plan.steps
    assert ("make the folder /hot", "make the folder /hot/inbox") == plan.lines


def test_values_that_do_harm_are_put_back_and_the_others_are_kept() -> None:
    """Each changed value has a line with the old one; the file is what a check writes."""
    edits: dict[str, Value] = {"attention": "sliced", "width": 640, "environment.PYTORCH_X": "0"}
    content = profile(**edits)

    plan = put_back(
        PROFILE, content, CHOICES, {"attention", "environment.PYTORCH_X", "unheard"}, MACHINE
    )

    assert (WriteFile(path=str(PROFILE), before=content, after=profile(width=640)),) == plan.steps
    assert (
        'set attention = "native" in /settings/profile.toml, was "sliced"',
        'set PYTORCH_X = "1" in /settings/profile.toml, was "0"',
    ) == plan.lines


def test_every_changed_value_has_a_line() -> None:
    """Every change of the file has a line."""
    tuned = CHOICES | {"width": Choice(128, "Its size.", "size")}

    plan = put_back(PROFILE, profile(height=64, prime=True), tuned, {"height", "prime"}, MACHINE)

    assert (
        "set prime = false in /settings/profile.toml, was true",
        "set width = 128 in /settings/profile.toml, was not set",
        "remove height from /settings/profile.toml, was 64",
    ) == tuple(plan.lines)


def test_what_is_tuned_as_it_was_pinned_leaves_nothing_to_do() -> None:
    """A fix that changes no value is empty."""
    assert Plan() == put_back(PROFILE, profile(), CHOICES, {"attention"}, MACHINE)


def test_a_profile_that_is_not_understood_is_set_aside_and_rewritten() -> None:
    """The plan names every value set by hand: kept, corrected or left out."""
    content = profile(width=640) + b'environment.MY = "x"\nzzz = 3\n'
    content = b'atention = "sliced"\nheight = 3\n' + content.replace(b"schema_version = 1", b"= 1")

    plan = rewrite(PROFILE, content, ASIDE, salvage(content), CHOICES, MACHINE)

    kept: dict[str, Value] = {"attention": "sliced", "width": 640, "environment.MY": "x"}
    assert (
        KeepCopy(path=str(PROFILE), to=str(ASIDE)),
        WriteFile(path=str(PROFILE), before=content, after=profile(**kept)),
    ) == plan.steps
    assert """\
keep a copy of /settings/profile.toml beside it, as profile.aside.toml
write /settings/profile.toml again, tuned for this machine
  with your own width = 640
  with your own MY = "x"
  with your own attention = "sliced", which was misspelled atention
  without = 1
  without height = 3
  without zzz = 3""" == "\n".join(plan.lines)


@pytest.mark.parametrize(("plan", "writes"), [(Plan(), False), (make_folders([ASIDE]), False)])
def test_plans_add_up(plan: Plan, writes: bool) -> None:
    """A sum of plans writes the profile if one of them does."""
    written = put_back(PROFILE, profile(attention="sliced"), CHOICES, {"attention"}, MACHINE)

    assert writes is plan.writes_file
    assert (plan + written).writes_file
    assert plan.steps + written.steps == (plan + written).steps
