"""Lines of settings, taken apart at their commas."""

import pytest

from mpsdoctor.prompts.pairs import Pair, read_pairs


@pytest.mark.parametrize(
    ("line", "pairs"),
    [
        ("Hashes: {aa: 1, bb: 2}, Seed: 5", [("Hashes", "{aa: 1, bb: 2}"), ("Seed", "5")]),
        ("Hashes: [aa: 1, bb: 2], Seed: 5", [("Hashes", "[aa: 1, bb: 2]"), ("Seed", "5")]),
        ('Hashes: "aa: 1, bb: 2", Seed: 5', [("Hashes", '"aa: 1, bb: 2"'), ("Seed", "5")]),
        (r'Hashes: "aa: \", bb: 2", Seed: 5', [("Hashes", r'"aa: \", bb: 2"'), ("Seed", "5")]),
        (r'Hashes: "aa: 1, bb: \\", Seed: 5', [("Hashes", r'"aa: 1, bb: \\"'), ("Seed", "5")]),
        ('Hashes: {aa: "}", bb: 2}, Seed: 5', [("Hashes", '{aa: "}", bb: 2}'), ("Seed", "5")]),
    ],
)
def test_commas_inside_quotes_and_brackets_separate_nothing(line: str, pairs: list[Pair]) -> None:
    """A value in quotes, brackets or braces stays whole, with the keys that it contains."""
    assert read_pairs(line) == pairs


@pytest.mark.parametrize("bracket", ["{", "[", '"', "}", "]"])
def test_with_a_lone_quote_or_bracket_every_comma_separates(bracket: str) -> None:
    """No setting is lost in a value that only opens or only closes, whatever else is quoted."""
    assert read_pairs(f'Hashes: {bracket}aa: 1, Seed: 5, Size: "11: 2, 22: 3"') == [
        ("Hashes", f"{bracket}aa: 1"),
        ("Seed", "5"),
        ("Size", '"11: 2'),
        ("22", '3"'),
    ]
