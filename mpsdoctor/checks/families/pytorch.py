"""MPS301 to MPS304: PyTorch, and what it says about mps."""

import textwrap

from mpsdoctor.checks.remedies import install_torch, python_line
from mpsdoctor.checks.report import Finding, NoAnswerError, Remedy, Severity, Status
from mpsdoctor.facts.records import Facts, ProbeOutcome, Torch
from mpsdoctor.knowledge import floors, versions

_LONGEST_ERROR = 400
_NOT_ASKED = "PyTorch was not asked"
# Set by App Sandbox, and by Codex for programs in its sandbox (its AGENTS.md).
_SANDBOXES = frozenset({"APP_SANDBOX_CONTAINER_ID", "CODEX_SANDBOX"})


def starts(facts: Facts) -> Finding | None:
    """PyTorch must be installed, and `import torch` must finish."""
    torch = facts.torch
    if torch is None:
        if facts.packages is None:
            raise NoAnswerError(_NOT_ASKED)
        if "torch" in facts.packages:
            raise NoAnswerError(f"{_NOT_ASKED} whether it starts", Status.NOT_RECORDED)
        return _not_installed(facts)
    if torch.outcome is ProbeOutcome.ANSWERED:
        return None
    if torch.outcome is ProbeOutcome.TIMED_OUT:
        raise NoAnswerError(
            f"PyTorch gave {torch.error or 'no answer in time'}. The first start after an "
            "installation can take minutes: check again.",
            Status.TIMED_OUT,
        )
    if torch.outcome is ProbeOutcome.MISSING:
        return _not_installed(facts)
    error = textwrap.shorten(torch.error or "no reason given", _LONGEST_ERROR, placeholder=" …")
    return Finding(
        severity=Severity.ERROR,
        observed=f"PyTorch is installed, but does not start: {error}",
        expected="import torch succeeds",
        impact="Nothing can render.",
        remedy=install_torch(facts, "--force-reinstall"),
    )


def _not_installed(facts: Facts) -> Finding:
    return Finding(
        severity=Severity.ERROR,
        observed="PyTorch is not installed in this Python.",
        expected="PyTorch",
        impact="Nothing can render.",
        remedy=install_torch(facts),
    )


def version(facts: Facts) -> Finding | None:
    """Diffusers' page on mps needs PyTorch 1.13 and recommends 2.0."""
    guide = floors.load().guide
    torch = versions.parse(facts.torch_version)
    if torch is None:
        raise NoAnswerError("the PyTorch version is not known")
    if torch >= guide.torch_recommended:
        return None
    too_old = torch < guide.torch_needed
    return Finding(
        severity=Severity.ERROR if too_old else Severity.WARNING,
        observed=f"PyTorch {facts.torch_version}",
        expected=f"PyTorch {guide.torch_needed} or newer, better {guide.torch_recommended} or "
        "newer",
        impact="Diffusers cannot use the mps device of this PyTorch."
        if too_old
        else "The first picture after the start differs from later ones with the same settings. "
        "The current Diffusers does not work with this PyTorch.",
        remedy=install_torch(facts),
    )


def mps_built(facts: Facts) -> Finding | None:
    """PyTorch from PyPI has mps built in on macOS; other builds may lack it."""
    torch = _answered(facts)
    if torch.mps_built or torch.mps_available:
        return None
    if torch.mps_built is None:
        raise NoAnswerError("whether this PyTorch has mps built in is not known")
    return Finding(
        severity=Severity.ERROR,
        observed=f"{_name(facts)} was built without mps.",
        expected="a PyTorch that was built with mps, like those for macOS on PyPI",
        impact="Nothing can render on mps.",
        remedy=install_torch(facts, "--force-reinstall"),
    )


def mps_available(facts: Facts) -> Finding | None:
    """Only `torch.backends.mps.is_available()` decides, whatever the versions promise.

    It is false in sandboxes and virtual machines without the GPU (openai/codex #10199), and has
    been seen false without a known cause (pytorch #167679).
    """
    torch = _answered(facts)
    if torch.mps_available:
        return None
    if torch.mps_available is None:
        raise NoAnswerError("whether mps is available is not known")
    probe = python_line(facts, "-c", "import torch; print(torch.backends.mps.is_available())")
    install = install_torch(facts, "--force-reinstall")
    return Finding(
        severity=Severity.ERROR,
        observed=f"{_name(facts)} has mps built in, but finds no GPU to use.{_why_no_gpu(facts)}",
        expected="mps is available",
        impact="Nothing can render on mps.",
        remedy=Remedy(
            text="Programs in a sandbox, a container or a virtual machine often cannot see the "
            "GPU. A coding assistant's terminal is such a sandbox. Type the first line in the "
            "Terminal app. If it prints True, run mpsdoctor there. If it prints False, restart the "
            "Mac and try again. If that does not help, install PyTorch again. "
            f"{install.text}",
            commands=(probe, *install.commands),
        ),
    )


def _why_no_gpu(facts: Facts) -> str:
    """Earlier checks find a macOS that is too old and an x86_64 Python."""
    variables = facts.environment.variables if facts.environment else {}
    if facts.system.sandboxed or variables.keys() & _SANDBOXES:
        return " mpsdoctor runs in a sandbox, which hides the GPU."
    if facts.system.virtual_machine or (facts.hardware.model or "").startswith("VirtualMac"):
        return " This macOS runs in a virtual machine without a GPU."
    return ""


def _answered(facts: Facts) -> Torch:
    if facts.torch is None:
        raise NoAnswerError(_NOT_ASKED)
    return facts.torch


def _name(facts: Facts) -> str:
    return f"PyTorch {facts.torch_version}" if facts.torch_version else "PyTorch"
