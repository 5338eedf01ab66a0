"""`mpsdoctor pull`: downloads the files of a model that the profile loads, and no others."""

import os
import platform
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from mpsdoctor.cli import output
from mpsdoctor.cli.options import model_name, profile_option
from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.paths import expand, profile_path
from mpsdoctor.profile import quick_settings
from mpsdoctor.units import gb

if TYPE_CHECKING:
    from mpsdoctor.facts.records import Folder
    from mpsdoctor.hub import cache
    from mpsdoctor.hub.listing import Listing, RemoteFile
    from mpsdoctor.hub.plan import Plan
    from mpsdoctor.profile.settings import Profile


@click.command("pull")
@click.argument("model", type=model_name)
@click.option("--dry-run", is_flag=True, help="Only list what would be downloaded.")
@profile_option
def command(model: str, dry_run: bool, profile: Path | None) -> None:
    """Download MODEL, a Hugging Face id.

    Downloads only the files that the profile loads, into Hugging Face's cache. Verifies files that
    are already there, and resumes interrupted downloads. Ends with the forecast of `mpsdoctor
    plan`.
    """
    from mpsdoctor.hub.client import describe, require_library, stream
    from mpsdoctor.hub.download import carry_out
    from mpsdoctor.hub.errors import explained, refuse_offline
    from mpsdoctor.hub.plan import require_room

    if model == EMBEDDED_MODEL or Path(model).is_dir():
        output.tell(f"{model} is on this disk: there is nothing to download.")
        return
    refuse_offline(os.environ)
    require_library()
    path = profile_path(profile, os.environ)
    with explained(model, os.environ), output.busy(f"Asking for {model} …"):
        listing = describe(model)
    settings = _settings_for(listing, path)
    with explained(model, os.environ):
        cache = _cache()
        plan = _plan(listing, settings, cache)
        if dry_run:
            for file in plan.missing:
                output.show(line(file))
            return
        require_room(plan, cache)
        with downloading(plan) as progress:
            carry_out(plan, partial(stream, model, listing.commit), progress, pause)
    _require_complete(model)
    output.tell(f"{model} is complete and verified: {plan.repository.snapshot}")
    is_own = path.exists() and quick_settings.read(path, os.environ).model == model
    check = shlex.join(("mpsdoctor", "check", *(() if is_own else ("--model", model))))
    output.tell(f"To {'re-tune' if is_own else 'tune'} the profile for it: {check}")
    _show_forecast(settings)


def _settings_for(listing: "Listing", path: Path) -> "Profile":
    """The settings for the model, as far as its index on the hub tells."""
    from mpsdoctor.cli.settings import Settings
    from mpsdoctor.planning.configs import Configs
    from mpsdoctor.tuning import lookup

    configs = lookup.shipped_configs(listing.model) or Configs(
        model=listing.model, model_index=listing.index, components={}
    )
    return Settings(path, optional=True).of(listing.model, configs)


def _plan(listing: "Listing", settings: "Profile", cache: "Folder") -> "Plan":
    from mpsdoctor.hub.plan import choose, survey

    chosen = choose(listing, variant=settings.variant, pickles=not settings.use_safetensors)
    with verifying() as progress:
        plan = survey(listing, chosen, Path(cache.path), progress)
    variant = f", variant {settings.variant}" if chosen.with_variant else ""
    total = f"{len(plan.files)} files, {gb(plan.total_bytes)}"
    output.tell(f"{listing.model} for {settings.dtype}{variant}: {total}")
    room = cache.volume.available_bytes or cache.volume.free_bytes
    free = "" if room is None else f", {gb(room)} free"
    output.tell(
        f"To download: {gb(plan.missing_bytes)} to {cache.path}{free}"
        if plan.missing
        else "Everything is here and verified."
    )
    return plan


def _cache() -> "Folder":
    from mpsdoctor.facts.command import run
    from mpsdoctor.facts.disk import hub_cache, storage

    home = expand("~")
    return storage.folder(hub_cache.location(os.environ, home), home, run, platform.system())


def _require_complete(model: str) -> None:
    from mpsdoctor.facts.disk import model_files
    from mpsdoctor.facts.records import ModelState

    files = model_files.read(model, os.environ, expand("~"))
    if files.state in (ModelState.PARTIAL, ModelState.ABSENT):
        raise MpsDoctorError(
            f"{model} is incomplete on the hub",
            detail="Everything that the hub has is downloaded. Still missing: "
            f"{', '.join(files.missing)}.",
            hint="The authors did not upload that. Look for another copy of the model.",
        )


def _show_forecast(settings: "Profile") -> None:
    """For the profile's size, or the model's own. Without a forecast, a model may still render."""
    from mpsdoctor.cli.commands import plan
    from mpsdoctor.cli.host import host
    from mpsdoctor.tuning import lookup
    from mpsdoctor.tuning.fit import USUAL_SIDE
    from mpsdoctor.tuning.needs import needs_of

    side = needs_of(settings.model, lookup.configs_of(settings.model, host())).side or USUAL_SIDE
    size = (settings.width or side, settings.height or side)
    context = click.get_current_context()
    try:
        context.invoke(plan.command, model=settings.model, sizes=(size,), dtype=settings.dtype)
    except MpsDoctorError as error:
        output.tell(f"No forecast: {error.title}")


def line(file: "RemoteFile") -> str:
    """A file and its size."""
    return f"{file.path} ({gb(file.size)})"


@contextmanager
def verifying() -> Iterator["cache.Progress"]:
    """Shows progress while existing files are verified."""
    with _bar() as bar:
        task = bar.add_task("Verifying", total=None)
        yield lambda file, done: bar.update(task, description=file.path, completed=done)


@contextmanager
def downloading(plan: "Plan") -> Iterator["cache.Progress"]:
    """Shows progress while the plan is carried out. After an interrupt, says what is kept."""
    here = {file.etag: plan.repository.here_bytes(file) for file in plan.missing}
    with _bar() as bar:
        total = sum(file.size for file in plan.missing)
        task = bar.add_task("", total=total, completed=sum(here.values()))
        started: set[str] = set()

        def show(file: "RemoteFile", done: int) -> None:
            if bar.disable and file.etag not in started:
                output.tell(line(file))
            started.add(file.etag)
            here[file.etag] = done
            bar.update(task, description=file.path, completed=sum(here.values()))

        try:
            yield show
        except KeyboardInterrupt:
            output.tell("What was downloaded is kept. The same command resumes the download.")
            raise


def pause(error: Exception, seconds: float) -> None:
    """Waits between two attempts."""
    output.tell(
        f"The download was interrupted ({type(error).__name__}). Retrying in {seconds:g} s."
    )
    time.sleep(seconds)


def _bar() -> Progress:
    console = output.progress_console()
    return Progress(
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
