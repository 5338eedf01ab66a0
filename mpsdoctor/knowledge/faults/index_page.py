"""All known faults as one page: `python -m mpsdoctor.knowledge.faults.index_page` writes it."""

from typing import Final

from mpsdoctor.knowledge.faults import fault_page
from mpsdoctor.knowledge.faults.fault import Area, Fault
from mpsdoctor.knowledge.faults.matching import load
from mpsdoctor.resources import PACKAGE

PATH: Final = PACKAGE.parent / "docs" / "faults.md"
"""Its place in a checkout; an installed mpsdoctor has `mpsdoctor explain` instead."""

HEADINGS: Final = {
    Area.ATTENTION: "Attention",
    Area.MATMUL: "Matrix products and linear layers",
    Area.CONVOLUTION: "Convolutions and norms",
    Area.COPIES: "Copies, indexing and reductions",
    Area.DTYPES: "Number formats",
    Area.MEMORY: "Memory and sizes",
    Area.MODELS: "Single models",
    Area.RUNTIME: "Running",
}

_HEAD = """\
# Known faults of the mps device

The known faults of diffusion models on PyTorch's mps device. `mpsdoctor check` lists those that can
affect still pictures on your machine; `mpsdoctor explain FAULT-ID` shows one section of this page.

A machine **does** have a fault if the fault's test computation fails on its GPU. It **may** have a
fault that the sources have seen with its PyTorch. If they have not, the fault is **unverified**. So
is a fault whose test computation passes, if that proves its absence.

This page is generated from `mpsdoctor/knowledge/tables/faults.toml`. To add a fault, add a table
there; the head of that file explains how.
"""


def document() -> str:
    """The page: a table of contents by area, then a section for each fault."""
    contents = "\n".join(map(_contents, Area))
    sections = "\n".join(map(_sections, Area))
    return f"{_HEAD}\n{contents}\n{sections}"


def _contents(area: Area) -> str:
    rows = (f"- [{fault.id}](#{fault.id}): {fault.symptom}" for fault in _in_area(area))
    return "\n".join((f"**{HEADINGS[area]}**\n", *rows, ""))


def _sections(area: Area) -> str:
    pages = (fault_page.render(fault, level=3) for fault in _in_area(area))
    return "\n".join((f"## {HEADINGS[area]}\n", *pages))


def _in_area(area: Area) -> list[Fault]:
    return [fault for fault in load() if fault.area is area]


if __name__ == "__main__":
    PATH.write_text(document(), encoding="utf-8")
