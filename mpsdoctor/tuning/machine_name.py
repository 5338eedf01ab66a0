"""A machine in a few words."""

from mpsdoctor.facts.records import Facts
from mpsdoctor.units import GIB


def machine_name(facts: Facts) -> str:
    """`Apple M1 Pro, 16 GB, macOS 26.3.1, PyTorch 2.13.0`; unknown parts are left out."""
    hardware = facts.hardware
    system = f"macOS {facts.system.macos_version or ''}" if facts.is_mac else facts.system.kernel
    parts = (
        hardware.chip,
        f"{hardware.ram_bytes / GIB:.0f} GB" if hardware.ram_bytes else None,
        system.strip(),
        f"PyTorch {facts.torch_version}" if facts.torch_version else None,
    )
    return ", ".join(filter(None, parts))
