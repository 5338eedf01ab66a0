"""The wording of errors and notes about a prompt file."""

from collections.abc import Sequence

from mpsdoctor.errors import MpsDoctorError


def unreadable(line: int, detail: str, hint: str) -> MpsDoctorError:
    """The error for a line of a prompt file; `line` counts from 1."""
    return MpsDoctorError(f"Line {line} cannot be read", detail=detail, hint=hint)


def shorten(text: str, longest: int) -> str:
    """`text` on one line, cut after `longest` characters, and without halves of a UTF-16 pair."""
    text = text.encode(errors="replace").decode()
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return " ".join(cut.split())


def no_effect(left_out: Sequence[str]) -> tuple[str, ...]:
    """One note that names what was left out; none if nothing was."""
    if not left_out:
        return ()
    verb = "has" if len(left_out) == 1 else "have"
    return (f"{shorten(', '.join(left_out), 300)} {verb} no effect here",)
