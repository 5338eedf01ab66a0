"""MPS304: why PyTorch finds no GPU."""

import msgspec
import pytest
from msgspec.structs import replace

from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.facts.records import Environment, Facts, Hardware, System
from mpsdoctor.records import Record
from tests.support.machines import MACHINES

BY_ID = {check.id: check for check in CHECKS}
RECORDED = MACHINES / "arm64-macos-26.0-torch-2.9.1.json"
NO_GPU = msgspec.json.decode(RECORDED.read_text(encoding="utf-8"), type=Facts)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, "finds no GPU to use."),
        ({"system": System(kernel="Darwin", sandboxed=True)}, "in a sandbox, which hides the GPU."),
        (
            {"environment": Environment(variables={"CODEX_SANDBOX": None})},
            "in a sandbox, which hides the GPU.",
        ),
        (
            {"system": System(kernel="Darwin", virtual_machine=True)},
            "in a virtual machine without a GPU.",
        ),
        (
            {"hardware": Hardware(model="VirtualMac2,1")},
            "in a virtual machine without a GPU.",
        ),
    ],
)
def test_the_reason_for_no_gpu_is_told_where_it_is_known(
    change: dict[str, Record], reason: str
) -> None:
    """Only a sandbox and a virtual machine are named as reasons."""
    available = replace(NO_GPU.torch, mps_available=False) if NO_GPU.torch else None
    facts = replace(NO_GPU, torch=available, **change)
    finding = BY_ID["MPS304"].examine(facts)
    assert finding is not None
    assert finding.observed.endswith(reason)
