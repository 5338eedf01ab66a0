"""`mpsdoctor profile`: the settings, each with its reason."""

import os
from pathlib import Path

import click

from mpsdoctor.cli import output
from mpsdoctor.cli.options import profile_option, profile_path


@click.group("profile")
def command() -> None:
    """Show the tuned profile, or where it lies."""


@command.command("show")
@profile_option
def show(profile: Path | None) -> None:
    """Show each setting: its value, where that comes from, and why."""
    from rich import box
    from rich.table import Table

    from mpsdoctor.profile import document
    from mpsdoctor.profile.choice import ENVIRONMENT
    from mpsdoctor.profile.loading import Origin, load
    from mpsdoctor.profile.model import Profile

    path = profile_path(profile)
    loaded = load(Profile, path, os.environ)
    reasons = document.read(path.read_text("utf-8")).reasons
    table = Table("setting", "value", "from", "reason", box=box.SIMPLE)
    for name, field in Profile.model_fields.items():
        value = getattr(loaded.profile, name)
        reason = reasons.get(name) or field.description or ""
        if name == "environment":
            for variable, content in value.items():
                reason = reasons.get(ENVIRONMENT + variable, "")
                table.add_row(variable, content, loaded.origins[name].value, reason)
        elif name != "schema_version":
            origin = loaded.origins[name]
            if origin is not Origin.FILE and value is not None:
                reason = field.description or ""
            shown = "not set" if value is None else str(value)
            table.add_row(name, shown, origin.value, reason)
    output.show(table)


@command.command("path")
def path() -> None:
    """Print where the profile lies."""
    output.show(str(profile_path(None)))
