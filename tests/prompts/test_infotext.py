"""Generation parameters as other tools read them."""

import re

from mpsdoctor.prompts.infotext import Parameters, format_infotext

A1111_PAIR = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
"""The web UI's own pattern for a pair (`infotext_utils.py`: re_param)."""


def test_a1111_reads_back_every_value() -> None:
    """The last line parses with A1111's pattern, also where a value holds a comma."""
    parameters = Parameters(
        prompt="a red circle\non a white background",
        steps=12,
        sampler="DDIM",
        cfg_scale=4.0,
        seed=42,
        width=128,
        height=64,
        model="my model, final: v2",
        version="mpsdoctor 0.1.0",
    )

    *prompt, line = format_infotext(parameters).split("\n")

    assert prompt == ["a red circle", "on a white background"]
    assert dict(A1111_PAIR.findall(line)) == {
        "Steps": "12",
        "Sampler": "DDIM",
        "CFG scale": "4",
        "Seed": "42",
        "Size": "128x64",
        "Model": '"my model, final: v2"',
        "RNG": "CPU",
        "Version": "mpsdoctor 0.1.0",
    }
