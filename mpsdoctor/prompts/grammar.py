"""Parses the text of a prompt file into requests. docs/prompts.md has the rules for users."""

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.document import split_lines
from mpsdoctor.prompts.infotext import parse_infotext
from mpsdoctor.prompts.layout import is_exact
from mpsdoctor.prompts.options import has_options, read_lines
from mpsdoctor.prompts.request import Request

MAX_PICTURES = 1000
"""The limit for one file."""


def read_requests(text: str) -> tuple[Request, ...]:
    """The requests of a prompt file, in order: one for the file, or one per line; never none.

    Raises MpsDoctorError if text that looks like a setting cannot be read; it names the line.
    Also raises it if the file asks for more than `MAX_PICTURES` pictures.
    """
    lines = split_lines(text)
    if has_options(lines) and not is_exact(lines):
        requests = read_lines(lines)
    else:
        requests = (parse_infotext(text),)
    pictures = sum(request.count for request in requests)
    if pictures > MAX_PICTURES:
        raise MpsDoctorError(
            f"This file asks for {pictures:,} pictures",
            detail=f"The limit for one file is {MAX_PICTURES:,}.",
            hint="Split it into several files.",
        )
    return requests
