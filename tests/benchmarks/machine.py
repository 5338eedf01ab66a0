"""What a figure was measured on."""

import os
import platform
from pathlib import Path

from mpsdoctor.facts.probes import interpreter


def describe() -> str:
    """Processor, cores and versions, in a line for docs/measurements.md."""
    installed = interpreter.this().packages
    versions = ", ".join(
        f"{name} {installed[name]}"
        for name in ("torch", "diffusers", "transformers")
        if name in installed
    )
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()}; "
        f"Python {platform.python_version()}, {versions}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(line.split(": ")[1] for line in lines if line.startswith("model name"))
