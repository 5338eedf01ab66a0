"""A prompt file's text to what it asks for. The rules for users: docs/prompts.md."""

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.document import split_lines
from mpsdoctor.prompts.infotext import parse_infotext
from mpsdoctor.prompts.layout import is_exact
from mpsdoctor.prompts.options import has_options, read_lines
from mpsdoctor.prompts.request import Request

MAX_PICTURES = 1000
"""Of one file."""


def read_requests(text: str) -> tuple[Request, ...]:
    """What a prompt file asks for, in order: one request, or one a line; at least one.

    Raises MpsDoctorError that names the line for what looks like a setting and cannot be taken,
    and for more than `MAX_PICTURES` pictures.
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
            detail=f"A file may ask for {MAX_PICTURES:,}.",
            hint="Split it into several files.",
        )
    return requests
