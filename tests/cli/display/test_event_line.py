"""Events as lines of the log."""

from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from mpsdoctor.cli.display.event_line import event_line
from mpsdoctor.hotfolder.pause import Pause
from mpsdoctor.hotfolder.status import events
from mpsdoctor.hotfolder.status.events import Event

HOT = Pause(kind="heat", title="This Mac is too hot", hint="Free its vents.")
LINES: list[tuple[Event, str | None]] = [
    (events.Started(Path("/hot"), 0), "Watching /hot/inbox"),
    (events.Started(Path("/hot"), 2), "Watching /hot/inbox, 2 resumed"),
    (events.Loading("shapes"), "Loading shapes"),
    (events.Loaded("shapes", "mps"), "shapes is ready on mps"),
    (events.Claimed("1", "a.txt"), None),
    (events.Rendering("1", "a.txt"), "a.txt: rendering"),
    (
        events.Rendering("1", "a.txt", number=2, pictures=3, attempt=2),
        "a.txt: rendering picture 2 of 3, attempt 2",
    ),
    (events.Stepped("1", "a.txt", 1, 12, 30, 4.0), None),
    (
        events.Published("1", "a.txt", Path("/hot/images/a.png"), 3.21, ("note",), number=2),
        "a.txt: /hot/images/a.png (3.2 s, 1 note)",
    ),
    (
        events.Published("1", "a.txt", Path("/hot/images/a.png"), 3.21, (), "VAE in float32"),
        "a.txt: /hot/images/a.png (3.2 s, with VAE in float32)",
    ),
    (
        events.Published("1", "a.txt", Path("/hot/images/a.png"), 3.21, ("b", "c"), "VAE"),
        "a.txt: /hot/images/a.png (3.2 s, with VAE, 2 notes)",
    ),
    (events.Published("1", "a.txt", Path("/a.png"), 3.21), "a.txt: /a.png (3.2 s)"),
    (
        events.Retrying("1", "a.txt", 1, "The worker was lost"),
        "a.txt: The worker was lost; it is tried again",
    ),
    (
        events.Rejected("1", "a.txt", "It holds no prompt", Path("/hot/failed/a.error.txt")),
        "a.txt: It holds no prompt; see /hot/failed/a.error.txt",
    ),
    (
        events.Unmovable("a.txt", "Permission denied"),
        "a.txt cannot be taken from the inbox: Permission denied",
    ),
    (events.Paused(HOT), "Paused: This Mac is too hot. Free its vents."),
    (events.Resumed(), "Resumed."),
    (
        events.Unloaded("there was nothing to do for 10 minutes"),
        "The worker was ended: there was nothing to do for 10 minutes",
    ),
    (events.Stopping(), "Stopping …"),
    (events.Stopped(), "Stopped."),
]


@pytest.mark.parametrize(("event", "line"), LINES, ids=lambda value: type(value).__name__)
def test_each_event_has_its_line(event: Event, line: str | None) -> None:
    """To the letter, also where it has none."""
    assert line == event_line(event)


def test_no_event_is_forgotten() -> None:
    """Every kind is in the table above."""
    assert set(get_args(Event)) == {type(event) for event, _ in LINES}


@pytest.mark.parametrize("name", ["a\nSaved: b.txt", "a\x1b[31mred.txt", "a\r\x07.txt"])
def test_a_name_cannot_forge_a_line_or_steer_the_terminal(name: str) -> None:
    """Control characters, which a file's name may hold, are replaced."""
    clean = "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
    assert f"{clean}: rendering" == event_line(events.Rendering("1", name))


def test_a_line_keeps_to_itself_what_may_quote_the_prompt() -> None:
    """Details, in which the worker has its last words, and notes are not for the log."""
    image = Path("/hot/images/a.png")
    for event in (events.Published("1", "a.txt", image, 1.0, ("SECRET",)),):
        assert "SECRET" not in (event_line(event) or "")
    assert not {"prompt", "text", "request"} & {
        field.name for kind in get_args(Event) for field in fields(kind)
    }
