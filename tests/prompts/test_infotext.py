"""Generation parameters as other tools read them, and as they are read back."""

import json
import re
from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.prompts.grammar import read_requests
from mpsdoctor.prompts.infotext import Parameters, format_infotext
from mpsdoctor.prompts.request import SEEDS, Request
from mpsdoctor.prompts.samplers import SAMPLERS, SCHEDULE_TYPES

A1111_PAIR = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
"""The web UI's own pattern for a pair (`infotext_utils.py`: re_param)."""

PARAMETERS = Parameters(
    prompt="a red circle\non a white background",
    steps=12,
    sampler="DPM++ 2M",
    cfg_scale=4.0,
    seed=42,
    width=128,
    height=64,
    model="my model, final: v2",
    version="mpsdoctor 0.1.0",
    negative_prompt="a square",
    schedule_type="Karras",
)

FRAGMENTS = st.sampled_from(
    [
        *("a cat", "Steps: 3,", "Steps: 3, Sampler: x, Seed: 1", "Negative prompt:", "Prompt: "),
        *(
            '"',
            "\\",
            "\n",
            "\r\n",
            "\r",
            "--prompt a",
            " --x",
            "Size: 512",
            "Model: b",
            "Version: 2",
        ),
        *(
            " ",
            "\t",
            "\x85",
            "\u2028",
            'Count: 1, Prompt: "b"',
            "{",
            "]",
            "—prompt",
            "猫",
            "Count: 99",
        ),
        *("\n-b", "**Seed:** 5", "negative_prompt: ", " —steps 5", "Seed Mode: b, ", "Width: 64"),
    ]
)
LINES = st.lists(FRAGMENTS | st.text(max_size=4), max_size=8).map("".join)
PROMPTS = LINES.filter(lambda text: not re.search(r"[\x00-\x08\x0e-\x1f\x7f]", text))
REQUESTS = st.builds(
    Request,
    prompt=PROMPTS.filter(str.strip),
    negative_prompt=PROMPTS,
    steps=st.integers(1, 150),
    sampler=st.sampled_from(list(SAMPLERS)),
    schedule_type=st.none() | st.sampled_from(list(SCHEDULE_TYPES)),
    cfg_scale=st.floats(0, 30),
    distilled_cfg_scale=st.none() | st.floats(0, 30),
    seed=st.integers(0, SEEDS - 1),
    width=st.integers(8, 256).map(lambda eighth: eighth * 8),
    height=st.integers(8, 256).map(lambda eighth: eighth * 8),
    model=st.sampled_from(["shapes", "a, b: c", 'a "b"', "org/a [b", "猫", "x {y", "it's"]),
)


def parameters_of(request: Request) -> Parameters:
    settings = msgspec.structs.asdict(request)
    del settings["count"], settings["notes"]
    return Parameters(**settings, version="mpsdoctor 0.1.0")


def read_as_a1111(infotext: str) -> dict[str, str]:
    """Prompts and settings, by the rules of its `parse_generation_parameters`."""
    *lines, last = infotext.split("\n")
    at = next(
        (i for i, line in enumerate(lines) if line.startswith("Negative prompt:")), len(lines)
    )
    negative = "\n".join(lines[at:]).removeprefix("Negative prompt:").strip()
    found = {"Prompt": "\n".join(lines[:at]), "Negative prompt": negative}
    for key, value in A1111_PAIR.findall(last):
        found[key] = json.loads(value) if value.startswith('"') else value
    return found


def test_the_text_is_a1111s() -> None:
    """Prompt, negative prompt and one line of settings, in the order of the web UI."""
    assert format_infotext(PARAMETERS) == (
        "a red circle\non a white background\n"
        "Negative prompt: a square\n"
        "Steps: 12, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 4, Seed: 42, "
        'Size: 128x64, Model: "my model, final: v2", RNG: CPU, Version: mpsdoctor 0.1.0'
    )
    plain = replace(
        PARAMETERS,
        prompt="a",
        negative_prompt="",
        sampler="",
        schedule_type=None,
        cfg_scale=1 / 3,
        distilled_cfg_scale=0.0,
        model="m",
    )
    assert format_infotext(plain) == (
        "a\nSteps: 12, CFG scale: 0.3333333333333333, Distilled CFG Scale: 0, Seed: 42, "
        "Size: 128x64, Model: m, RNG: CPU, Version: mpsdoctor 0.1.0"
    )


def test_a1111_reads_back_every_value() -> None:
    """Prompts and the last line parse by A1111's rules, even if a value contains a comma."""
    assert read_as_a1111(format_infotext(PARAMETERS)) == {
        "Prompt": "a red circle\non a white background",
        "Negative prompt": "a square",
        "Steps": "12",
        "Sampler": "DPM++ 2M",
        "Schedule type": "Karras",
        "CFG scale": "4",
        "Seed": "42",
        "Size": "128x64",
        "Model": "my model, final: v2",
        "RNG": "CPU",
        "Version": "mpsdoctor 0.1.0",
    }


def test_a_prompt_that_looks_like_settings_is_kept_exactly() -> None:
    """The last line has such prompts again, as JSON, where A1111 and mpsdoctor read them."""
    prompt, negative = "a\nNegative prompt: b\n--c", "d\nSteps: 3,"
    infotext = format_infotext(replace(PARAMETERS, prompt=prompt, negative_prompt=negative))

    assert infotext == (
        "a\nNegative prompt: b\n--c\nNegative prompt: d\nSteps: 3,\n"
        + format_infotext(PARAMETERS).splitlines()[-1]
        + r', Prompt: "a\nNegative prompt: b\n--c", Negative prompt: "d\nSteps: 3,"'
    )
    assert read_as_a1111(infotext)["Prompt"] == prompt
    assert read_as_a1111(infotext)["Negative prompt"] == negative


def test_nul_which_png_text_cannot_contain_is_replaced() -> None:
    """In prompts and values; the rest of them is read back."""
    parameters = replace(
        PARAMETERS, prompt="a\0b", negative_prompt="\0", model="m\0", schedule_type=None
    )

    assert read_requests(format_infotext(parameters)) == (
        Request(
            prompt="a\ufffdb",
            negative_prompt="\ufffd",
            steps=12,
            sampler="DPM++ 2M",
            cfg_scale=4.0,
            seed=42,
            width=128,
            height=64,
            model="m\ufffd",
        ),
    )


@given(REQUESTS)
def test_what_was_asked_is_read_back(request_: Request) -> None:
    """The infotext of any resolved request, dropped as a prompt file, asks for the same."""
    assert read_requests(format_infotext(parameters_of(request_))) == (request_,)
