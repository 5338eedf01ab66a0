"""Generates the footprints that ship: `python -m mpsdoctor.planning.generate [NAME …]`.

NAME is a file in `architectures`; without names, all are generated. `shapes`, the embedded model,
is read from its own folder.
"""

import sys
from importlib.metadata import version
from pathlib import Path

import msgspec

from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.libraries import silence_libraries
from mpsdoctor.planning.configs import ARCHITECTURES, Configs, read_file, read_folder
from mpsdoctor.planning.needs import NEEDS, ShippedNeeds
from mpsdoctor.planning.trace import trace
from mpsdoctor.resources import embedded_model

DTYPES = ("float16", "bfloat16", "float32")
SIDES = (512, 768, 1024, 1536, 2048)
"""Pixels. Other sizes are traced on the user's machine."""

EMBEDDED_SIDES = (128, 256, 512)
LIBRARIES = ("torch", "diffusers", "transformers")


def generate(configs: Configs, sides: tuple[int, ...]) -> ShippedNeeds:
    """Traces one architecture at every size in every number format."""
    sizes = [(side, side) for side in sides]
    return ShippedNeeds(
        model=configs.model,
        key=configs.key,
        made_with={name: version(name) for name in LIBRARIES},
        footprints=tuple(one for dtype in DTYPES for one in trace(configs, sizes, dtype)),
    )


def write(needs: ShippedNeeds, path: Path) -> None:
    """One footprint a line, so that a change shows where it is."""
    head = {"model": needs.model, "key": needs.key, "made_with": needs.made_with}
    lines = ",\n".join(msgspec.json.encode(one).decode() for one in needs.footprints)
    start = msgspec.json.encode(head).decode().removesuffix("}")
    path.write_text(f'{start},"footprints":[\n{lines}\n]}}\n', encoding="utf-8")


def main(names: list[str]) -> None:
    """Writes the files."""
    silence_libraries()
    NEEDS.mkdir(exist_ok=True)
    for name in names or [EMBEDDED_MODEL, *sorted(path.stem for path in ARCHITECTURES.glob("*"))]:
        if name == EMBEDDED_MODEL:
            needs = generate(read_folder(name, embedded_model()), EMBEDDED_SIDES)
        else:
            needs = generate(read_file(ARCHITECTURES / f"{name}.json"), SIDES)
        write(needs, NEEDS / f"{name}.json")


if __name__ == "__main__":
    main(sys.argv[1:])
