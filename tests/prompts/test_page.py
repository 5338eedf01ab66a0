"""docs/prompts.md says what is so."""

import re
from pathlib import Path

import msgspec
import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.grammar import read_requests
from mpsdoctor.prompts.keys import KEYS, setting_of
from mpsdoctor.prompts.line_kinds import begins_with_setting
from mpsdoctor.prompts.option_names import COUNTS, OPTIONS, PATHS, TEXTS, WITHOUT_EFFECT
from mpsdoctor.prompts.request import Request
from mpsdoctor.prompts.samplers import SAMPLERS, SCHEDULE_TYPES

PAGE = (Path(__file__).parents[2] / "docs/prompts.md").read_text("utf-8")


def first_column(heading: str) -> list[str]:
    """The code words in the first cell of each row of the first table under a heading."""
    table = PAGE.split(heading, 1)[1].split("\n|---", 1)[1].split("\n\n", 1)[0]
    cells = [row.split("|")[1] for row in table.splitlines()[1:]]
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


def test_the_examples_mean_what_the_page_says() -> None:
    """Each block is a prompt file."""
    read = [read_requests(block) for block in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)]
    assert read == [
        (Request(prompt="a small blue star\non a yellow background"),),
        (Request(prompt="a detective in the rain\nstyle: noir, mood: dark, lens: 35mm"),),
        (
            Request(
                prompt="a red circle on a white background",
                negative_prompt="a square,\nblurry",
                steps=12,
                cfg_scale=4,
                seed=42,
                width=64,
                height=64,
            ),
        ),
        (Request(prompt="Model: a tall woman, lens: 35mm", negative_prompt="a hat"),),
        (
            Request(prompt="a red circle on a white background", steps=12, seed=42),
            Request(prompt="a green heart", negative_prompt="a square", count=2),
            Request(prompt="a small blue star on a yellow background"),
        ),
    ]


def test_the_tables_name_all_that_there_is() -> None:
    """Every key, option, sampler and schedule type has its row, and no other."""
    assert first_column("## A prompt with settings") == list(KEYS)
    options = [*TEXTS, *OPTIONS, *COUNTS, *WITHOUT_EFFECT, *PATHS, "--ar 16:9"]
    assert sorted(first_column("## One prompt per line")) == sorted(options)
    assert first_column("## Samplers") == list(SAMPLERS)
    assert first_column("| Schedule type | Options of the scheduler |") == list(SCHEDULE_TYPES)
    for sampler in SAMPLERS.values():
        assert f"| `{sampler.name}` | `{sampler.scheduler}`" in PAGE
        assert all(f"`{key}={value!r}`" in PAGE for key, value in sampler.config.items())


def test_what_the_page_calls_an_error_is_one() -> None:
    """Each example of what would be rendered as words, or in vain, is refused."""
    examples = first_column("Text that would be rendered as words")
    rows = PAGE.split("In a line of settings:", 1)[1].split("\n\n", 2)[1].splitlines()
    examples += [
        word
        for row in rows
        if "error" in row.split("|")[2]
        for word in re.findall(r"`([^`]+)`", row.split("|")[1])
    ]
    least = 10
    assert len(examples) > least
    for example in examples:
        with pytest.raises(MpsDoctorError, match="Line 2 cannot be read"):
            read_requests(f"a\n{example}")


def test_the_last_lines_are_told_apart_as_the_page_says() -> None:
    """Its examples of settings are settings, those of a prompt are prompt."""
    table = PAGE.split("### Which last line", 1)[1].split("\n\n", 2)[1]
    settings, _, words = table.splitlines()[2:]
    assert all(map(begins_with_setting, re.findall(r"`([^`]+)`", settings)))
    assert not any(map(begins_with_setting, re.findall(r"`([^`]+)`", words)))
    assert msgspec.structs.asdict(Request(prompt="a")).keys() >= {
        setting_of(key) for key in KEYS if key != "Size"
    }
