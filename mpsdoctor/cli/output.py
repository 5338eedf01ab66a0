"""The only writer to the terminal: results to stdout, everything about them to stderr."""

import io
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

import click
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from mpsdoctor.errors import MpsDoctorError

# A file called `:heart:.txt` stays one.
_stdout = Console(highlight=False, emoji=False)
_stderr = Console(highlight=False, emoji=False, stderr=True)

_NO_LIMIT = 10_000
"""Columns; no cell is wider."""


def write_what_the_encoding_has() -> None:
    """A terminal of Latin-1, say, gets `?` for other characters, where Python would raise.

    Where it would not, as in the C locale (PEP 538), nothing changes.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")


def show(result: str | Text | Table) -> None:
    """What the user asked for. Strings are not taken as markup, and lines of text stay whole.

    So do those of a table where no terminal is there to show them.
    """
    if isinstance(result, Table) and not _stdout.is_terminal:
        result.width = Measurement.get(
            _stdout, _stdout.options.update(max_width=_NO_LIMIT), result
        ).maximum
    _stdout.print(result, markup=False, soft_wrap=not isinstance(result, Table), crop=False)


def table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    """Nothing in it is cut: the first column, of names to type, stays whole, the others fold."""
    lines = list(rows)
    widest = max((len(name) for name, *_ in lines), default=0)
    name, *others = titles
    columns = (Column(title, overflow="fold") for title in others)
    page = Table(Column(name, no_wrap=True, min_width=widest), *columns, box=box.SIMPLE)
    for line in lines:
        page.add_row(*map(Text, line))
    return page


def show_page(markdown: str) -> None:
    """A page of documentation: laid out on a terminal, as it is elsewhere."""
    from rich.markdown import Markdown

    if _stdout.is_terminal:
        _stdout.print(Markdown(markdown))
    else:
        show(markdown.rstrip())


def width() -> int:
    """Columns of the terminal, 80 where there is none."""
    return _stdout.width


def tell(line: str) -> None:
    """What happens meanwhile."""
    _stderr.print(line, markup=False, soft_wrap=True)


def show_error(error: MpsDoctorError) -> None:
    """Title, detail and next step; lines stay whole, so that a command in them can be copied."""
    _stderr.print(Text.assemble(("Error: ", "bold red"), (error.title, "bold")), soft_wrap=True)
    for line in f"{error.detail}\n{error.hint}".splitlines():
        if line:
            _stderr.print(Text(f"  {line}"), soft_wrap=True)


def somebody_is_there() -> bool:
    """Whether a question can be answered."""
    return sys.stdin.isatty()


def ask(question: str) -> bool:
    """Whether the user says yes; silence is a no."""
    return click.confirm(question, err=True)


def busy(doing: str) -> AbstractContextManager[object]:
    """Shows that something is going on, where somebody watches."""
    return _stderr.status(doing) if _stderr.is_terminal else nullcontext()


def result_console() -> Console:
    """Where results are kept up to date in their place, if it `is_interactive`."""
    return _stdout


def progress_console() -> Console:
    """Where progress belongs; its `is_terminal` says whether anybody watches."""
    return _stderr
