"""`mpsdoctor explain`: shows the page about a check or a fault."""

import re
from collections.abc import Iterable

import click

from mpsdoctor.cli import output
from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError, did_you_mean

_CHECK = re.compile(r"MPS\d{3}", re.IGNORECASE)


@click.command("explain")
@click.argument("identifier", metavar="ID")
def command(identifier: str) -> None:
    """Explain a check, such as MPS304, or a known fault.

    Says what it is about, why it matters, how to fix it and when to ignore it. Works offline.
    """
    output.show_page(_page(identifier))


def _page(identifier: str) -> str:
    from mpsdoctor.resources import shipped

    pages = {path.stem: path for path in shipped("docs/checks").glob("*.md")}
    if page := pages.get(identifier.upper()):
        return page.read_text("utf-8")
    from mpsdoctor.knowledge.faults import matching

    known = {fault.id: fault for fault in matching.load()}
    if fault := known.get(identifier.lower()):
        return matching.page(fault)
    raise MpsDoctorError(
        f"There is no check or fault {identifier}",
        hint=_hint(identifier, (*pages, *known)),
        exit_code=ExitCode.USAGE,
    )


def _hint(identifier: str, ids: Iterable[str]) -> str:
    """Suggests nothing for the number of an unknown check: all numbers are equally similar."""
    listed = "`mpsdoctor check -v` shows the ids."
    if _CHECK.fullmatch(identifier):
        return listed
    spelt = {name.lower(): name for name in ids}
    return did_you_mean(identifier.lower(), spelt, listed, spelt.__getitem__)
