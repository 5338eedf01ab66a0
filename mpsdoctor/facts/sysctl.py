"""The kernel's facts about the machine, from one `sysctl` call."""

from mpsdoctor.facts.command import Runner

# Intel Macs lack the last three and macOS 13 lacks the last one; sysctl may stop at the first
# unknown name.
NAMES = (
    "hw.model",
    "machdep.cpu.brand_string",
    "hw.physicalcpu",
    "hw.memsize",
    "kern.hv_vmm_present",
    "vm.swapusage",
    "kern.memorystatus_vm_pressure_level",
    "hw.optional.arm64",
    "sysctl.proc_translated",
    "iogpu.wired_limit_mb",
)
COMMAND = ("/usr/sbin/sysctl", *NAMES)
_SECONDS = 10.0


def read(run: Runner) -> dict[str, str]:
    """The values by name, regardless of the exit code; empty if sysctl does not answer."""
    lines = (line.partition(": ") for line in run(COMMAND, _SECONDS).stdout.splitlines())
    return {name: value.strip() for name, colon, value in lines if colon and name in NAMES}


def number(values: dict[str, str], name: str) -> int | None:
    """The value of `name`, or None if it is missing or not a number."""
    text = values.get(name, "")
    return int(text) if text.isdecimal() else None


def flag(values: dict[str, str], name: str) -> bool | None:
    """Whether `name` is 1; False if other names have a value but this one has not, as on Intel."""
    return values.get(name) == "1" if values else None
