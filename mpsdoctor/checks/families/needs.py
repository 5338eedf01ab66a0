"""What a model needs from this Mac, if mpsdoctor ships its needs; no torch."""

from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.facts.records import Facts, ModelFiles
from mpsdoctor.knowledge import rendering
from mpsdoctor.knowledge.device import device_of
from mpsdoctor.planning.forecast import machine_of
from mpsdoctor.planning.needs import of_model
from mpsdoctor.tuning.fit import Fit, fastest


def tuned_dtype(facts: Facts, files: ModelFiles) -> str:
    """The number format that the profile is tuned to if the GPU renders."""
    return rendering.choose(device_of(facts), files.model, files.pipeline).dtype


def fit_of(facts: Facts, files: ModelFiles) -> Fit | None:
    """The fastest way that fits at any size, as the profile's rules find it.

    None for the embedded model, which fits everywhere. None also if needs or memory are not known,
    and on machines that are not Macs.
    """
    needs = None if files.model == EMBEDDED_MODEL else of_model(files.model)
    if needs is None or not facts.is_mac:
        return None
    dtype = files.dtype or tuned_dtype(facts, files)
    known = [footprint for footprint in needs.footprints if footprint.dtype == dtype]
    return fastest(known, None, machine_of(facts))


def download_bytes(files: ModelFiles) -> int | None:
    """The least that a download brings: the weights in 16 bits; None if that is not known."""
    needs = of_model(files.model)
    return min((one.weights_bytes for one in needs.footprints), default=None) if needs else None
