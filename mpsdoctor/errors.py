"""The one error for users, and the one warning."""

import difflib
import sys
import warnings
from collections.abc import Callable, Iterable

from mpsdoctor.constants import ExitCode

_PACKAGE = f"{__name__.partition('.')[0]}."


class MpsDoctorError(Exception):
    """Something went wrong that the user can understand and act on.

    `title` says in one line what happened, `detail` why, and `hint` what to do next.
    """

    def __init__(
        self,
        title: str,
        *,
        detail: str = "",
        hint: str = "",
        exit_code: ExitCode = ExitCode.FINDINGS,
    ) -> None:
        super().__init__(title)
        self.title = title
        self.detail = detail
        self.hint = hint
        self.exit_code = exit_code

    def __str__(self) -> str:
        return "\n".join(part for part in (self.title, self.detail, self.hint) if part)


class MpsDoctorWarning(UserWarning):
    """Something in the user's code does not have the effect it seems to have."""


def warn(message: str) -> None:
    """Issues an MpsDoctorWarning for the line outside this package that led here."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, MpsDoctorWarning, stacklevel=level)


def did_you_mean(
    name: str, known: Iterable[str], otherwise: str, spell: Callable[[str], str] = str
) -> str:
    """A hint with the known name most similar to `name`, spelled by `spell`; else `otherwise`."""
    like = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean {spell(like[0])}?" if like else otherwise
