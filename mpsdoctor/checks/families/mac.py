"""MPS101 to MPS106: the Mac, its macOS, and what may keep this process from the GPU."""

from mpsdoctor.checks.remedies import install_torch
from mpsdoctor.checks.report import Finding, NoAnswerError, Remedy, Severity, Status
from mpsdoctor.facts.records import Facts
from mpsdoctor.knowledge import floors, macos, versions

# The variables by which App Sandbox and Codex say so.
_SANDBOXES = {"APP_SANDBOX_CONTAINER_ID", "CODEX_SANDBOX"}
_WHERE = "(System Settings > General > Software Update)"


def apple_silicon(facts: Facts) -> Finding | None:
    """The mps device needs an Apple-silicon Mac; Intel Macs are no longer supported.

    PyTorch dropped them from its documentation in pull request #141182.
    """
    if facts.is_mac and facts.hardware.apple_silicon:
        return None
    expected = "a Mac with Apple silicon (M1 or newer)"
    if not facts.is_mac:
        return Finding(
            severity=Severity.ERROR,
            observed=f"This is not a Mac; the system is {facts.system.kernel}.",
            expected=expected,
            impact="The mps device exists only on macOS, so nothing can render on it here.",
            remedy=Remedy(
                text="Run mpsdoctor on the Mac that will make the pictures. This machine can "
                'render slowly on its CPU, with device = "cpu" in the profile.'
            ),
        )
    if facts.hardware.apple_silicon is None:
        return Finding(
            severity=Severity.WARNING,
            observed="Whether this Mac has Apple silicon is not known: sysctl did not answer.",
            expected=expected,
            impact="On an Intel Mac nothing can render on mps.",
            remedy=Remedy(
                text="Check whether this prints 1:",
                commands=("/usr/sbin/sysctl -n hw.optional.arm64",),
            ),
        )
    return Finding(
        severity=Severity.ERROR,
        observed=f"This is an Intel Mac ({facts.hardware.chip or 'chip not known'}).",
        expected=expected,
        impact="PyTorch does not support mps on Intel Macs. Its last release for them is "
        f"{floors.load().x86_64.torch}, which is too old for the current Diffusers.",
        remedy=Remedy(text="Use a Mac with an M1 or newer chip. No setting helps on this one."),
    )


def macos_version(facts: Facts) -> Finding | None:
    """Diffusers' page on mps needs macOS 12.6 and recommends 13.0."""
    guide = floors.load().guide
    version = versions.parse(facts.system.macos_version)
    expected = f"macOS {guide.macos_needed} or newer, better {guide.macos_recommended} or newer"
    if version is None:
        return Finding(
            severity=Severity.WARNING,
            observed="The macOS version is not known: sw_vers did not answer.",
            expected=expected,
            impact="mpsdoctor cannot say which PyTorch fits this Mac.",
            remedy=Remedy(text="See what this prints:", commands=("/usr/bin/sw_vers",)),
        )
    if version >= guide.macos_recommended:
        return None
    too_old = version < guide.macos_needed
    return Finding(
        severity=Severity.ERROR if too_old else Severity.WARNING,
        observed=f"macOS {facts.system.macos_version}",
        expected=expected,
        impact="Diffusers does not support mps on a macOS this old."
        if too_old
        else "Only old PyTorch releases have an mps device here, with faults fixed since.",
        remedy=Remedy(text=f"Update macOS {_WHERE}."),
    )


def macos_for_torch(facts: Facts) -> Finding | None:
    """Each PyTorch needs some macOS for its mps device, newer than pip needs to install it.

    PyTorch's own error message has named the wrong version (pytorch #139425, #164943).
    """
    torch = versions.parse(facts.torch_version)
    if torch is None:
        raise NoAnswerError("the PyTorch version is not known")
    floor = floors.macos_floor(torch)
    if floor is None:
        return None
    version = versions.parse(facts.system.macos_version)
    if version is None:
        return Finding(
            severity=Severity.NOTE,
            observed="The macOS version is not known.",
            expected=f"macOS {floor} or newer for PyTorch {facts.torch_version}",
            impact="On an older macOS this PyTorch has no mps device.",
            remedy=Remedy(text="See what this prints:", commands=("/usr/bin/sw_vers",)),
        )
    if version >= floor:
        return None
    older = install_torch(facts)
    keep = ", or keep this macOS with an older PyTorch" if older.commands else ""
    return Finding(
        severity=Severity.ERROR,
        observed=f"PyTorch {facts.torch_version} on macOS {facts.system.macos_version}",
        expected=f"macOS {floor} or newer for this PyTorch",
        impact="This PyTorch installs and starts on this macOS, but has no mps device here. Its "
        "own error message may name another macOS version.",
        remedy=Remedy(
            text=f"Update macOS to {floor} or newer {_WHERE}{keep}. {older.text}",
            commands=older.commands,
        ),
    )


def driver(facts: Facts) -> Finding | None:
    """Some macOS releases have faults in the GPU's driver that no PyTorch can fix."""
    version = versions.parse(facts.system.macos_version)
    if version is None:
        raise NoAnswerError("the macOS version is not known", Status.NOT_RECORDED)
    fault, last = macos.fault_of(version), macos.last_fault_of(version)
    if fault is None or last is None:
        return None
    torch = versions.parse(facts.torch_version)
    spared = fault.torch is not None and torch is not None and torch < fault.torch
    later = f" with PyTorch {fault.torch} and newer" if fault.torch else ""
    return Finding(
        severity=Severity.NOTE if spared else Severity.WARNING,
        observed=f"macOS {facts.system.macos_version} has a known fault in the GPU's driver"
        f"{later}.",
        expected=f"macOS {last.fixed} or newer"
        + (", for which no report is known" if last.presumed else ""),
        impact=fault.effect,
        remedy=Remedy(text=f"Update macOS {_WHERE}. Until then: {fault.remedy}"),
    )


def virtual_machine(facts: Facts) -> Finding | None:
    """A virtual Mac has a virtual GPU, on which mps is not available or cannot get memory.

    PyTorch ignores such a GPU since pull request #111576; before, mps counted as available and its
    first allocation failed (actions/runner-images #9918). If newer releases use it, linear layers
    can be wrong (pytorch #192934).
    """
    if facts.system.virtual_machine is None:
        raise NoAnswerError("whether this is a virtual machine is not known", Status.NOT_RECORDED)
    if not facts.system.virtual_machine:
        return None
    return Finding(
        severity=Severity.WARNING,
        observed="This macOS runs in a virtual machine.",
        expected="macOS on the Mac itself",
        impact="In most virtual machines mps is not available. If it seems to be, PyTorch runs out "
        "of memory at the first step, or computes incorrectly.",
        remedy=Remedy(text="Run mpsdoctor on the Mac itself, outside the virtual machine."),
    )


def sandbox(facts: Facts) -> Finding | None:
    """A sandbox can block the GPU and sysctl.

    That of a coding assistant does (openai/codex #10199, #46656).
    """
    marked = _SANDBOXES & set(facts.environment.variables if facts.environment else ())
    mps = facts.torch.mps_available if facts.torch else None
    if mps or (facts.system.sandboxed is False and not marked):
        return None
    if not facts.system.sandboxed and not marked:
        raise NoAnswerError("whether mpsdoctor runs in a sandbox is not known", Status.NOT_RECORDED)
    return Finding(
        severity=Severity.WARNING,
        observed="mpsdoctor runs in a sandbox.",
        expected="a process that may use the GPU",
        impact="A sandbox can hide the GPU: then mps is not available although this Mac has it. "
        "Some other results of this check may be wrong too.",
        remedy=Remedy(
            text="Open the Terminal app and check there. Ask a coding assistant to run the command "
            "outside its sandbox."
        ),
    )
