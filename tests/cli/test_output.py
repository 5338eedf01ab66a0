"""What is printed, and where."""

import io

import pytest
from rich.console import Console
from rich.text import Text

from mpsdoctor.cli import output
from mpsdoctor.errors import MpsDoctorError

LONG = "word " * 60


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A terminal of 40 columns."""
    file = io.StringIO()
    console = Console(
        file=file, width=40, force_terminal=True, color_system=None, highlight=False, emoji=False
    )
    monkeypatch.setattr(output, "_stdout", console)
    return file


def test_results_go_to_stdout_and_the_rest_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither is wrapped, and brackets and names of emoji are only text."""
    output.show(f"[bold]{LONG}:heart:[/bold]")
    output.show(Text(f"[a] {LONG}"))
    output.tell(f"[bold]{LONG}:heart:[/bold]")

    assert capsys.readouterr() == (
        f"[bold]{LONG}:heart:[/bold]\n[a] {LONG}\n",
        f"[bold]{LONG}:heart:[/bold]\n",
    )


def test_an_error_has_one_line_for_each_of_its_parts(capsys: pytest.CaptureFixture[str]) -> None:
    """Commands in it can be copied, because no line is wrapped; empty parts have none."""
    output.show_error(MpsDoctorError("a [b]", detail=f"c\n\n{LONG}.", hint="d :heart:"))
    output.show_error(MpsDoctorError("a"))

    assert ("", f"Error: a [b]\n  c\n  {LONG}.\n  d :heart:\nError: a\n") == capsys.readouterr()


def test_a_table_in_a_pipe_has_one_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    """However long it is; an empty table has its titles."""
    output.show(output.table(("name", "why"), [("a", LONG.strip()), ("b", "[c]")]))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip(" ─")]
    assert ["name   why", f"a      {LONG.strip()}", "b      [c]"] == lines

    output.show(output.table(("name", "why"), []))
    assert "name   why" in capsys.readouterr().out


def test_on_a_terminal_names_stay_and_the_rest_is_folded(narrow: io.StringIO) -> None:
    """Nothing is cut off."""
    name = "a-name-of-thirty-characters-000"
    output.show(output.table(("name", "why"), [(name, "one two three four five")]))

    shown = narrow.getvalue()
    assert name in shown
    assert "onetwothreefourfive" == "".join(shown.split(name)[1].split())
    assert "…" not in shown
    assert 40 == output.width()


def test_a_page_is_formatted_on_a_terminal_and_markdown_elsewhere(
    narrow: io.StringIO, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Links and tables stay readable in a pipe."""
    output.show_page("# Title\n\n**bold** text\n\n")
    assert "**" not in narrow.getvalue()
    assert "Title" in narrow.getvalue()

    monkeypatch.undo()
    output.show_page("# Title\n\n**bold** text\n\n")
    assert "# Title\n\n**bold** text\n" == capsys.readouterr().out


def test_without_a_terminal_nobody_is_asked_and_nothing_turns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A spinner would fill a log file."""
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert not output.can_ask()
    with output.busy("Working …"):
        pass
    with output.progress_bar() as bar:
        bar.add_task("Working …", total=3)
    assert ("", "") == capsys.readouterr()
    assert not output.ask("Sure?")
    assert ("", "Sure? [y/N]: ") == capsys.readouterr()
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert output.ask("Sure?")
    assert not output.progress_console().is_terminal
    assert not output.result_console().is_terminal


@pytest.mark.parametrize(
    ("encoding", "errors", "then"),
    [("latin-1", "strict", "replace"), ("ascii", "surrogateescape", "surrogateescape")],
)
def test_what_an_encoding_lacks_is_replaced_only_if_python_would_raise(
    encoding: str, errors: str, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the C locale, file names keep their bytes (PEP 538)."""
    stdout = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors)
    monkeypatch.setattr("sys.stdout", stdout)

    output.replace_unencodable()

    assert then == stdout.errors
