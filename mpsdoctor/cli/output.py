"""The only writer to the terminal: results to stdout, everything about them to stderr."""

import io
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from mpsdoctor.errors import MpsDoctorError

if TYPE_CHECKING:
    from rich.progress import Progress

# A file called `:heart:.txt` stays one.
_stdout = Console(highlight=False, emoji=False)
_stderr = Console(highlight=False, emoji=False, stderr=True)

_NO_LIMIT = 10_000
"""Columns; no cell is wider."""


def replace_unencodable() -> None:
    """Writes `?` for characters that the terminal's encoding lacks; Python would raise an error.

    If Python would not, as in the C locale (PEP 538), nothing changes.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")


def show(result: str | Text | Table) -> None:
    """Prints a result to stdout. Strings are not parsed as markup, and lines are not wrapped.

    Lines of a table are wrapped only on a terminal.
    """
    if isinstance(result, Table) and not _stdout.is_terminal:
        result.width = Measurement.get(
            _stdout, _stdout.options.update(max_width=_NO_LIMIT), result
        ).maximum
    _stdout.print(result, markup=False, soft_wrap=not isinstance(result, Table), crop=False)


def table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    """A table that cuts nothing: the first column, of names to type, never wraps; others do."""
    lines = list(rows)
    widest = max((len(name) for name, *_ in lines), default=0)
    name, *others = titles
    columns = (Column(title, overflow="fold") for title in others)
    page = Table(Column(name, no_wrap=True, min_width=widest), *columns, box=box.SIMPLE)
    for line in lines:
        page.add_row(*map(Text, line))
    return page


def show_page(markdown: str) -> None:
    """Prints a page of documentation: formatted on a terminal, as Markdown elsewhere."""
    from rich.markdown import Markdown

    if _stdout.is_terminal:
        _stdout.print(Markdown(markdown))
    else:
        show(markdown.rstrip())


def width() -> int:
    """Columns of the terminal; 80 if there is none."""
    return _stdout.width


def tell(line: str) -> None:
    """Prints a line about progress to stderr."""
    _stderr.print(line, markup=False, soft_wrap=True)


def show_error(error: MpsDoctorError) -> None:
    """Prints title, detail and hint. Lines are not wrapped, so that commands can be copied."""
    _stderr.print(Text.assemble(("Error: ", "bold red"), (error.title, "bold")), soft_wrap=True)
    for line in f"{error.detail}\n{error.hint}".splitlines():
        if line:
            _stderr.print(Text(f"  {line}"), soft_wrap=True)


def can_ask() -> bool:
    """Whether a user is there to answer a question."""
    return sys.stdin.isatty()


def ask(question: str) -> bool:
    """Whether the user says yes. Pressing Return means no."""
    return click.confirm(question, err=True)


def busy(doing: str) -> AbstractContextManager[object]:
    """Shows a spinner, if stderr is a terminal."""
    return _stderr.status(doing) if _stderr.is_terminal else nullcontext()


def result_console() -> Console:
    """The console for results. Results can be updated in place if it `is_interactive`."""
    return _stdout


def progress_bar() -> "Progress":
    """A bar that goes away at the end; in a pipe it prints nothing, not even an empty line."""
    from rich.progress import Progress

    return Progress(console=_stderr, transient=True, disable=not _stderr.is_terminal)


def progress_console() -> Console:
    """The console for progress. Only a user at a terminal (`is_terminal`) sees progress."""
    return _stderr
