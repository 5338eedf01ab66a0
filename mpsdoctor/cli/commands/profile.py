"""`mpsdoctor profile`: shows, compares and replaces the profile."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.options import model_name, profile_option
from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError, did_you_mean
from mpsdoctor.paths import profile_path

if TYPE_CHECKING:
    from mpsdoctor.profile.choice import Value
    from mpsdoctor.profile.document import Document


@click.group("profile")
def command() -> None:
    """Show or compare the profile, or use one that ships."""


@command.command("show")
@click.argument("settings", metavar="[SETTING]...", nargs=-1)
@click.option(
    "--model", metavar="MODEL", type=model_name, help="Id or folder.  [default: the profile's]"
)
@profile_option
def show(settings: tuple[str, ...], model: str | None, profile: Path | None) -> None:
    """Show each setting: its value, where it comes from, and why.

    If you name a SETTING, also shows the rule that chose it, the facts that the rule used, and the
    evidence. With --model, shows the settings for that model.
    """
    from mpsdoctor.cli.display import profile_settings
    from mpsdoctor.cli.settings import Settings

    of = Settings(profile_path(profile, os.environ))
    found = of.explained(model)
    choices = of.choices(model) if settings else found.choices
    known = profile_settings.settings(found.loaded, of.layers.document, choices)
    for one in profile_settings.named(known, settings):
        output.show(profile_settings.in_full(one))
    if not settings:
        output.show(profile_settings.table(known))
        output.tell("For the rule, facts and evidence of one: mpsdoctor profile show SETTING")


@command.command("path")
def path() -> None:
    """Print the path of the profile."""
    output.show(str(profile_path(None, os.environ)))


@command.command("list")
def list_shipped() -> None:
    """List the profiles that ship, each tuned for a Mac and a model."""
    from mpsdoctor.profile.saving import understood

    shipped = {name: understood(path).values for name, path in _shipped().items()}
    rows = (
        (name, str(one["model"]), str(one["attention"]), str(one.get("largest_side", "")))
        for name, one in shipped.items()
    )
    output.show(output.table(("name", "model", "attention", "largest side"), rows))


@command.command("use")
@click.argument("name")
@profile_option
def use(name: str, profile: Path | None) -> None:
    """Use a profile that ships, or another file.

    Renames the previous profile, so that nothing is lost.
    """
    from mpsdoctor.files import move_to_unused
    from mpsdoctor.profile.loading import load
    from mpsdoctor.profile.saving import save
    from mpsdoctor.profile.settings import Profile

    path, source = profile_path(profile, os.environ).resolve(), _named(name)
    load(Profile, source, {})
    text = source.read_text("utf-8")
    if path.exists():
        aside = move_to_unused(path, path.parent, f"{path.stem}-before", path.suffix)
        output.tell(f"Previous profile: {aside}")
    save(path, text)
    output.tell(f"Profile: {path}")
    output.tell(
        "The next `mpsdoctor check` re-tunes it for this machine. Values that you edit are kept."
    )


@command.command("diff")
@click.argument("other", required=False)
@click.option("--guide", is_flag=True, help="Compare with the advice of Diffusers' page on mps.")
@profile_option
def diff(other: str | None, guide: bool, profile: Path | None) -> None:
    """Show where the profile differs from what was tuned, or from OTHER.

    OTHER is a file, or the name of a profile that ships.
    """
    if other and guide:
        raise MpsDoctorError(
            "Only one comparison at a time",
            hint="Name a profile or use --guide, not both.",
            exit_code=ExitCode.USAGE,
        )
    from mpsdoctor.profile.saving import understood

    mine = understood(profile_path(profile, os.environ))
    if guide:
        theirs, title = _guide(mine), "the guide"
        ours = {name: mine.values.get(name) for name in theirs}
    elif other:
        ours, theirs, title = dict(mine.values), dict(understood(_named(other)).values), other
    else:
        ours, theirs, title = dict(mine.values), dict(mine.tuned), "tuned"
    _show_differences(ours, theirs, title)


def _show_differences(ours: "dict[str, Value]", theirs: "dict[str, Value]", title: str) -> None:
    from mpsdoctor.profile.choice import differences, shown

    found = differences(ours, theirs)
    if not found:
        output.tell("No difference.")
        return
    rows = ((one.setting, shown(one.ours), shown(one.theirs)) for one in found)
    output.show(output.table(("setting", "yours", title), rows))


def _guide(mine: "Document") -> "dict[str, Value]":
    from mpsdoctor.cli.host import host
    from mpsdoctor.facts.collect import collect
    from mpsdoctor.tuning import lookup
    from mpsdoctor.tuning.guide import guide
    from mpsdoctor.tuning.needs import needs_of

    model = str(mine.values["model"])
    choices = guide(collect(ask_torch=False), needs_of(model, lookup.configs_of(model, host())))
    return {name: choice.value for name, choice in choices.items()}


def _named(name: str) -> Path:
    """The file of a profile that ships, or another file. Raises MpsDoctorError if neither is."""
    from mpsdoctor.paths import expand

    known = _shipped()
    if name in known:
        return known[name]
    if (path := expand(name)).is_file():
        return path
    raise MpsDoctorError(
        f"There is no profile {name}",
        hint=did_you_mean(name, list(known), "`mpsdoctor profile list` shows those that ship."),
        exit_code=ExitCode.USAGE,
    )


def _shipped() -> dict[str, Path]:
    from mpsdoctor.resources import shipped

    return {path.stem: path for path in sorted(shipped("profiles").glob("*.toml"))}
