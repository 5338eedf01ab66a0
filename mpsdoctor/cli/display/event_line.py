"""An event of the hot folder as a line of the log. Pure."""

from mpsdoctor.cli.display.format import printable
from mpsdoctor.hotfolder.status import events
from mpsdoctor.hotfolder.status.events import Event


def event_line(event: Event) -> str | None:
    """None for an event that is only progress.

    A line names files, but never quotes their content. Details and notes may, so they are left out.
    """
    line = _line(event)
    return None if line is None else printable(line)


def _line(event: Event) -> str | None:
    match event:
        case events.Started(root=root, resumed=resumed):
            again = f", {resumed} resumed" if resumed else ""
            return f"Watching {root / 'inbox'}{again}"
        case events.Loading(model=model):
            return f"Loading {model}"
        case events.Loaded(model=model, device=device):
            return f"{model} is ready on {device}"
        case events.Rendering(name=name, number=number, pictures=pictures, attempt=attempt):
            which = f" picture {number} of {pictures}" if pictures > 1 else ""
            return f"{name}: rendering{which}" + (f", attempt {attempt}" if attempt > 1 else "")
        case events.Published(name=name, image=image, seconds=seconds, notes=notes, remedy=remedy):
            cured = f", with {remedy}" if remedy else ""
            noted = f", {len(notes)} note{'s' if len(notes) > 1 else ''}" if notes else ""
            return f"{name}: {image} ({seconds:.1f} s{cured}{noted})"
        case events.Retrying(name=name, title=title):
            return f"{name}: {title}; it is tried again"
        case events.Rejected(name=name, title=title, error_file=error_file):
            return f"{name}: {title}; see {error_file}"
        case events.Unmovable(name=name, reason=reason):
            return f"{name} cannot be taken from the inbox: {reason}"
        case events.Paused(pause=pause):
            return f"Paused: {pause.title}. {pause.hint}".strip()
        case events.Resumed():
            return "Resumed."
        case events.Unloaded(reason=reason):
            return f"The worker was ended: {reason}"
        case events.Stopping():
            return "Stopping …"
        case events.Stopped():
            return "Stopped."
        case events.Claimed() | events.Stepped():
            return None
