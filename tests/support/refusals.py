"""Write the errors that tests/prompts/test_grammar.py compares: `python -m tests.support.refusals`.

Run it after a change to a message, and read the difference before you commit it.
"""

import json
import sys
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.grammar import read_requests

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REFUSALS = Path(__file__).parents[1] / "prompts" / "refusals.toml"


def read_refusals() -> list[tuple[str, list[str]]]:
    """Each prompt file, with the title, the detail and the hint of its error."""
    known = tomllib.loads(REFUSALS.read_text("utf-8"))["refusal"]
    return [(one["file"], [one["title"], one["detail"], one["hint"]]) for one in known]


def refusal(text: str) -> list[str]:
    """The title, the detail and the hint of the error for a prompt file."""
    try:
        read = read_requests(text)
    except MpsDoctorError as error:
        return [error.title, error.detail, error.hint]
    raise AssertionError(f"{text!r} is not refused: {read}")


def _entry(text: str) -> str:
    values = dict(zip(("file", "title", "detail", "hint"), (text, *refusal(text)), strict=True))
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(("[[refusal]]", *lines))


if __name__ == "__main__":
    REFUSALS.write_text("\n\n".join(_entry(text) for text, _ in read_refusals()) + "\n", "utf-8")
