"""The only writer to the terminal: results to stdout, everything about them to stderr."""

import sys
from contextlib import AbstractContextManager, nullcontext

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mpsdoctor.errors import MpsDoctorError

# A file called `:heart:.txt` stays one.
_stdout = Console(highlight=False, emoji=False)
_stderr = Console(highlight=False, emoji=False, stderr=True)


def show(result: str | Text | Table) -> None:
    """What the user asked for. Strings are not taken as markup, and lines of text stay whole."""
    _stdout.print(result, markup=False, soft_wrap=not isinstance(result, Table))


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
