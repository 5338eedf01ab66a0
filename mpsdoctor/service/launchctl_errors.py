"""What launchctl's exit codes mean, and what to do about each.

Below 107 they are errno's, from there on launchd's own (`launchctl error CODE` names them).
"""

from typing import NamedTuple

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.command import CommandResult

NO_PROCESS, IO_ERROR, IN_PROGRESS, ALREADY = 3, 5, 36, 37
NO_DOMAIN, NO_SERVICE, DISABLED, WRONG_DOMAIN = 112, 113, 119, 125
ON_DEMAND_ONLY = 146

# 5 stands for five things: already loaded, still ending, switched off, no session, a bad list.
# Which of them it was, launchctl's `print` and a second try tell.
WORTH_ANOTHER_TRY = frozenset({IO_ERROR, IN_PROGRESS, ALREADY, DISABLED, 124})
GONE = frozenset({NO_PROCESS, NO_SERVICE})

_AGAIN = "Try again in a minute; if it stays so, log out and in again."
_LOG_IN = (
    "Log in at the Mac's screen (Screen Sharing will do) as the same user, and type it there, or "
    "run `mpsdoctor watch` here."
)
_WRITE_AGAIN = "Remove it and have it written again: mpsdoctor service uninstall, then install."
_ALLOW = "System Settings > General > Login Items & Extensions: allow mpsdoctor's Python there."


class Meaning(NamedTuple):
    """A code in words, and the next step."""

    text: str
    hint: str


CODES: dict[int, Meaning] = {
    NO_PROCESS: Meaning("the agent is not loaded", "Load it: mpsdoctor service start"),
    IO_ERROR: Meaning(
        "launchd refuses the agent without a reason: it may be switched off, still ending, or "
        "there is no login session",
        f"{_ALLOW} {_AGAIN}",
    ),
    IN_PROGRESS: Meaning("the agent is still ending", _AGAIN),
    ALREADY: Meaning("the agent is being loaded already", "See: mpsdoctor service status"),
    107: Meaning("launchd finds no bundle there", _WRITE_AGAIN),
    108: Meaning("launchd does not accept the property list's path", _WRITE_AGAIN),
    109: Meaning("launchd does not understand the property list", _WRITE_AGAIN),
    110: Meaning("launchd does not accept the agent's label", _WRITE_AGAIN),
    111: Meaning("launchd does not accept the agent's program", _WRITE_AGAIN),
    NO_DOMAIN: Meaning("this user has no login session", _LOG_IN),
    NO_SERVICE: Meaning("the agent is not loaded", "Load it: mpsdoctor service start"),
    DISABLED: Meaning("the agent is switched off", _ALLOW),
    122: Meaning(
        "launchd does not trust the property list: it belongs to somebody else, or others may "
        "write it",
        "Make it yours: chown $(id -un) and chmod 644, then mpsdoctor service install",
    ),
    124: Meaning("the login session is ending", "Log in again, then try again."),
    WRONG_DOMAIN: Meaning("this user is not logged in at the screen", _LOG_IN),
    134: Meaning("the agent is not meant for this kind of session", _LOG_IN),
    ON_DEMAND_ONLY: Meaning(
        "the login session starts nothing by itself at the moment", "mpsdoctor service start"
    ),
    150: Meaning("System Integrity Protection guards the agent's label", _AGAIN),
    155: Meaning(
        "the interpreter is quarantined",
        "xattr -d com.apple.quarantine PYTHON, or install Python with uv or Homebrew.",
    ),
}


def failure(verb: str, result: CommandResult) -> MpsDoctorError:
    """What went wrong when launchctl was told `verb`."""
    said = result.stderr.strip() or result.stdout.strip()
    code = result.exit_code
    if code is None:
        why = "it did not answer" if result.timed_out else said
        return MpsDoctorError(
            f"launchctl {verb} cannot be asked: {why}",
            hint="Try again; `launchctl version` shows whether it works at all.",
        )
    meaning = CODES.get(code, Meaning("launchd refuses", f"`launchctl error {code}` says more."))
    return MpsDoctorError(
        f"launchctl {verb} failed: {meaning.text}",
        detail=f"exit code {code}: {said}" if said else f"exit code {code}",
        hint=meaning.hint,
    )
