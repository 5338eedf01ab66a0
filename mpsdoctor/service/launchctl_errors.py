"""What launchctl's exit codes mean, and what to do about each.

Codes below 107 are errno values, the others launchd's own (`launchctl error CODE` names them).
"""

from typing import NamedTuple

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.command import CommandResult

NO_PROCESS, IO_ERROR, IN_PROGRESS, ALREADY = 3, 5, 36, 37
NO_DOMAIN, NO_SERVICE, DISABLED, WRONG_DOMAIN = 112, 113, 119, 125
ON_DEMAND_ONLY = 146

# 5 has five meanings: already loaded, still stopping, disabled, no session, an invalid list.
# launchctl's `print` and a second try tell which one it was.
WORTH_ANOTHER_TRY = frozenset({IO_ERROR, IN_PROGRESS, ALREADY, DISABLED, 124})
GONE = frozenset({NO_PROCESS, NO_SERVICE})

_AGAIN = "Try again in a minute. If that does not help, log out and in again."
_LOG_IN = (
    "Log in at the Mac's screen, or with Screen Sharing, as the same user, and run the command "
    "there. Or run `mpsdoctor watch` here."
)
_WRITE_AGAIN = "Install the agent again: mpsdoctor service uninstall, then install."
_ALLOW = "Allow mpsdoctor's Python in System Settings > General > Login Items & Extensions."


class Meaning(NamedTuple):
    """What a code means, and the next step."""

    text: str
    hint: str


CODES: dict[int, Meaning] = {
    NO_PROCESS: Meaning("the agent is not loaded", "Load it: mpsdoctor service start"),
    IO_ERROR: Meaning(
        "launchd gives no reason; the agent may be disabled or still stopping, or there is no "
        "login session",
        f"{_ALLOW} {_AGAIN}",
    ),
    IN_PROGRESS: Meaning("the agent is still stopping", _AGAIN),
    ALREADY: Meaning("the agent is already being loaded", "See: mpsdoctor service status"),
    107: Meaning("launchd finds no bundle there", _WRITE_AGAIN),
    108: Meaning("launchd does not accept the property list's path", _WRITE_AGAIN),
    109: Meaning("launchd does not understand the property list", _WRITE_AGAIN),
    110: Meaning("launchd does not accept the agent's label", _WRITE_AGAIN),
    111: Meaning("launchd does not accept the agent's program", _WRITE_AGAIN),
    NO_DOMAIN: Meaning("this user has no login session", _LOG_IN),
    NO_SERVICE: Meaning("the agent is not loaded", "Load it: mpsdoctor service start"),
    DISABLED: Meaning("the agent is disabled", _ALLOW),
    122: Meaning(
        "launchd does not trust the property list: you do not own it, or others may write to it",
        "Correct that with chown $(id -un) and chmod 644, then: mpsdoctor service install",
    ),
    124: Meaning("the login session is ending", "Log in again, then try again."),
    WRONG_DOMAIN: Meaning("this user is not logged in at the screen", _LOG_IN),
    134: Meaning("the agent is not meant for this kind of session", _LOG_IN),
    ON_DEMAND_ONLY: Meaning(
        "the login session starts nothing on its own at the moment",
        "Start it: mpsdoctor service start",
    ),
    150: Meaning("System Integrity Protection guards the agent's label", _AGAIN),
    155: Meaning(
        "the interpreter is quarantined",
        "Run xattr -d com.apple.quarantine PYTHON, or install Python with uv or Homebrew.",
    ),
}


def failure(verb: str, result: CommandResult) -> MpsDoctorError:
    """The error for the answer to `launchctl VERB`."""
    said = result.stderr.strip() or result.stdout.strip()
    code = result.exit_code
    if code is None:
        why = "no answer" if result.timed_out else said
        return MpsDoctorError(
            f"launchctl {verb} cannot be run: {why}",
            hint="Try again; `launchctl version` shows whether it works at all.",
        )
    meaning = CODES.get(code, Meaning("unknown error", f"See: launchctl error {code}"))
    return MpsDoctorError(
        f"launchctl {verb} failed: {meaning.text}",
        detail=f"exit code {code}: {said}" if said else f"exit code {code}",
        hint=meaning.hint,
    )
