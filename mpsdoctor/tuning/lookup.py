"""What is known of a model before anything of it is loaded: its files, its configs, its needs."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.disk import model_files
from mpsdoctor.planning import cache, catalogue
from mpsdoctor.planning.configs import Configs, read_folder
from mpsdoctor.planning.footprint import Footprint
from mpsdoctor.planning.needs import of_configs, of_model
from mpsdoctor.tuning.context import Context
from mpsdoctor.tuning.fit import USUAL_SIDE
from mpsdoctor.tuning.host import Host
from mpsdoctor.tuning.needs import Needs

_SIDES = (512, 1024, 1536)
"""In pixels: the squares that are traced in addition to the model's own."""


def folder_of(model: str, host: Host) -> Path | None:
    """Where the model is on this disk; None if nothing of it is."""
    return model_files.folder(model, host.environ, host.home)


def shipped_configs(model: str) -> Configs | None:
    """The configs that ship for a common model."""
    known = catalogue.find(model)
    return msgspec.structs.replace(known, model=model) if known else None


def configs_of(model: str, host: Host) -> Configs | None:
    """The configs that ship for a common model, else those on this disk."""
    if shipped := shipped_configs(model):
        return shipped
    folder = folder_of(model, host)
    if folder is not None:
        with suppress(MpsDoctorError):
            return read_folder(model, folder)
    return None


def with_footprints(context: Context, configs: Configs | None, host: Host) -> Needs:
    """The needs with their footprints, shipped or traced.

    A trace is kept for the next time. If it fails, the settings are chosen cautiously, and `tell`
    says why.
    """
    needs = context.needs
    shipped = of_model(needs.model) or (of_configs(configs.key) if configs else None)
    if shipped is not None:
        return replace(needs, footprints=shipped.footprints)
    if configs is None or not configs.components or not context.on_mps:
        return needs
    return replace(needs, footprints=_traced(context, configs, host))


def _traced(context: Context, configs: Configs, host: Host) -> tuple[Footprint, ...]:
    needs = context.needs
    sides = sorted({*_SIDES, needs.side or USUAL_SIDE})
    sizes = [(side, side) for side in sides]
    try:
        with host.busy(f"Finding out what {needs.model} needs …"):
            dtype = context.precision.dtype
            return tuple(cache.footprints(configs, sizes, dtype, host.plans, host.run))
    except MpsDoctorError as error:
        host.tell(f"{error.title}. {error.detail.rstrip('.')}. Its settings are chosen cautiously.")
        return ()
