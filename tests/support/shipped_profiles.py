"""Generates the shipped profiles from recorded Macs: `python -m tests.support.shipped_profiles`."""

from pathlib import Path

import msgspec
from msgspec.structs import replace

from mpsdoctor.facts.records import Facts, ProbeOutcome, Torch
from mpsdoctor.planning import catalogue
from mpsdoctor.planning.needs import of_model
from mpsdoctor.profile import document
from mpsdoctor.tuning.machine_name import machine_name
from mpsdoctor.tuning.needs import Needs, needs_of
from mpsdoctor.tuning.rules import tune

ROOT = Path(__file__).parents[2]
MACS = {
    "m1-8gb": "m1-8gb-macos-15.5",
    "m1-pro-16gb": "m1-pro-16gb-macos-26.3.1",
    "mac-24gb": "24gb-swap-1.8gb",
    "m2-max-32gb": "m2-max-32gb-macos-13.0-python-3.10",
    "m4-pro-64gb": "m4-pro-64gb-macos-15.2-torch-2.5.1",
}
MODELS = {
    "sd15": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "sdxl": "stabilityai/stable-diffusion-xl-base-1.0",
    "flux1": "black-forest-labs/FLUX.1-dev",
}
PROFILES = (
    ("m1-8gb", "1.13.1", "sd15"),
    ("m1-8gb", "2.8.0", "sd15"),
    ("m1-8gb", "2.14.1", "sd15"),
    ("m1-pro-16gb", "2.8.0", "sdxl"),
    ("m1-pro-16gb", "2.13.0", "sd15"),
    ("m1-pro-16gb", "2.13.0", "sdxl"),
    ("m1-pro-16gb", "2.14.1", "sdxl"),
    ("mac-24gb", "2.8.0", "sdxl"),
    ("mac-24gb", "2.14.1", "sdxl"),
    ("m2-max-32gb", "1.13.1", "sd15"),
    ("m2-max-32gb", "1.13.1", "sdxl"),
    ("m2-max-32gb", "2.8.0", "sdxl"),
    ("m4-pro-64gb", "2.8.0", "flux1"),
    ("m4-pro-64gb", "2.13.0", "sdxl"),
    ("m4-pro-64gb", "2.13.0", "flux1"),
    ("m4-pro-64gb", "2.14.1", "flux1"),
)
"""Mac, PyTorch and model of each profile; PyTorch is assumed to work on that Mac."""


def names() -> dict[str, tuple[str, str, str]]:
    """Mac, PyTorch and model by file name."""
    return {
        f"{mac}-torch-{torch}-{model}.toml": (mac, torch, model) for mac, torch, model in PROFILES
    }


def text(mac: str, torch: str, model: str) -> str:
    """The file, tuned for a recorded Mac with a release of PyTorch."""
    facts = machine(mac, torch)
    return document.write(tune(facts, needs(MODELS[model])), {}, machine_name(facts))


def machine(mac: str, torch: str) -> Facts:
    """The recorded Mac, with that PyTorch."""
    recorded = (ROOT / "tests" / "facts" / f"{MACS[mac]}.json").read_bytes()
    return replace(
        msgspec.json.decode(recorded, type=Facts),
        torch=Torch(
            outcome=ProbeOutcome.ANSWERED, version=torch, mps_built=True, mps_available=True
        ),
    )


def needs(model: str) -> Needs:
    """The needs of a common model, from the shipped data."""
    shipped = of_model(model)
    assert shipped is not None
    return needs_of(model, catalogue.find(model), shipped.footprints)


if __name__ == "__main__":
    folder = ROOT / "profiles"
    for path in folder.glob("*.toml"):
        path.unlink()
    for name, made_for in names().items():
        (folder / name).write_text(text(*made_for), encoding="utf-8")
