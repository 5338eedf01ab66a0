"""What is recovered from a damaged profile."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.profile import document
from mpsdoctor.profile.choice import Choice
from mpsdoctor.profile.loading import load
from mpsdoctor.profile.salvage import Salvage, salvage
from mpsdoctor.profile.settings import Profile

CHOICES = {
    "model": Choice("someone/a-model", "Named.", "model"),
    "dtype": Choice("float16", "Half the memory.", "dtype"),
    "width": Choice(None, "The model's own.", "size"),
    "environment.A": Choice("1", "Rather slow than not.", "fallback"),
}
EDITS: dict[str, Any] = {"dtype": "float32", "width": 640, "environment.B": "x", "ignore": ["X"]}
GOOD = document.write(CHOICES, EDITS, "Apple M1, 8 GB").splitlines(keepends=True)
OLDER = """\
# mpsdoctor's settings for this machine, each with its reason.

schema_version = 1

# Named. (rule: model)
model = "someone/a-model"  # tuned: "someone/a-model"

# Half the memory. (rule: dtype)
dtype = "float32"  # tuned: "float16"

# The model's own. (rule: size)
width = 640  # tuned: not set

ignore = ["X"]

[environment]

# Rather slow than not. (rule: fallback)
A = "1"  # tuned: "1"

B = "x"
""".splitlines(keepends=True)
"""The same in the older form."""
JUNK = ["dtype = \n", "= 3\n", "[broken\n", 'x = "open\n', "hot_folder = [1,\n", "zzz = 7\n"]


@pytest.mark.parametrize(
    ("text", "edits", "renamed", "left_out"),
    [
        ('dtpye = "float32"', {"dtype": "float32"}, {"dtpye": "dtype"}, ()),
        ('dtpye = "float16"  # tuned: "float16"', {}, {}, ()),
        ('dtpye = "float16"\n# Tuned: dtype="float16"', {}, {}, ()),
        ('dtpye = "half"', {}, {}, ('dtpye = "half"',)),
        ("hieght = 64\nheight = 640", {"height": 640}, {}, ("hieght = 64",)),
        ("zzz = 1\nwidth = 640", {"width": 640}, {}, ("zzz = 1",)),
        ("width = 500", {}, {}, ("width = 500",)),
        ("width = 640\nwidth = 800", {"width": 640}, {}, ("width = 800",)),
        ("widht = 640\nwitdh = 800", {"width": 640}, {"widht": "width"}, ("witdh = 800",)),
        ("vae_sliing = true", {}, {}, ("vae_sliing = true",)),  # either of two settings
        ("schema_versoin = 1", {}, {}, ("schema_versoin = 1",)),
        ("schema_version = 2\nwidth = 64", {"width": 64}, {}, ()),
        ('model = ""\nmodels = ["m"]', {"models": ["m"]}, {}, ('model = ""',)),
        ('[environment]\n"A B" = 1\nC = ""', {"environment.C": ""}, {}, ("A B = 1",)),
        ('hot_folder = "ü"\nhot_foldr = 3', {"hot_folder": "ü"}, {}, ("hot_foldr = 3",)),
        (
            "prime = 1979-05-27\nprme = 1",
            {"prime": 1},
            {"prme": "prime"},
            ('prime = "1979-05-27"',),
        ),
        ("environment = 3\nheight = 64", {"height": 64}, {}, ("environment = 3",)),
        (
            '[enviroment]\nA = "1"\nB = 2',
            {"environment.A": "1"},
            {"enviroment.A": "environment.A"},
            ("enviroment.B = 2",),
        ),
        (
            'ignore = [\n\n  "MPS401",  # why\n  # not\n]\nwidth = \n# so\nheight = 64',
            {"ignore": ["MPS401"], "height": 64},
            {},
            ("width =",),
        ),
        (
            'enviroment.A = "1"\nenviroment.B = "2"\n# Tuned: environment.A="1"',
            {"environment.B": "2"},
            {"enviroment.B": "environment.B"},
            (),
        ),
        ("\ufeffwidth = 640\nheight = ", {"width": 640}, {}, ("height =",)),
    ],
)
def test_a_typo_costs_only_its_own_line(
    text: str, edits: dict[str, Any], renamed: dict[str, str], left_out: tuple[str, ...]
) -> None:
    """An unambiguous typo is corrected; anything else is left out and reported."""
    assert Salvage(None, edits, renamed, left_out) == salvage(text.encode())


def test_bytes_that_are_no_text_cost_only_their_line() -> None:
    """Text in another encoding is not guessed."""
    kept = salvage('width = 640\nhot_folder = "~/Björn"\nheight = 64'.encode("latin-1"))

    assert {"width": 640, "height": 64} == kept.edits
    assert ('hot_folder = "~/Bj\N{REPLACEMENT CHARACTER}rn"',) == kept.left_out


@pytest.mark.heavy
@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("profile", [GOOD, OLDER], ids=["now", "older"])
def test_wherever_a_line_is_damaged_every_edit_is_kept(profile: list[str], junk: str) -> None:
    """The damaged line may be anywhere in the file, and tuned values are not edits."""
    for place in range(len(profile) + 1):
        kept = salvage("".join([*profile[:place], junk, *profile[place:]]).encode())

        assert "someone/a-model" == kept.model
        assert EDITS == kept.edits, f"line {place}"


OTHER = ["[environment]\n", "environment.C = 1\n", "[[x]]\n", "[x]\n", "0schema_version = 1\n"]
lines = st.sampled_from([*GOOD, *OLDER, *JUNK, *OTHER])


@given(st.lists(lines | st.text(max_size=9)).map("".join).map(str.encode) | st.binary())
def test_what_is_kept_of_anything_is_a_profile(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    """The edits recovered from any file load, and survive the next time."""
    path: Path = tmp_path_factory.getbasetemp() / "profile.toml"
    kept = salvage(data)

    path.write_bytes(document.write({}, kept.edits, "").encode())

    load(Profile, path, {})
    assert dict(kept.edits) == salvage(path.read_bytes()).edits
