"""What the kernel knows of the machine, from one `sysctl` call."""

from mpsdoctor.facts.command import Runner

# Intel Macs lack the last three and macOS 13 the last one, and sysctl may stop at the first name
# that it does not know.
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
    """The names that sysctl knows, whatever its exit code; empty where it does not answer."""
    lines = (line.partition(": ") for line in run(COMMAND, _SECONDS).stdout.splitlines())
    return {name: value.strip() for name, colon, value in lines if colon and name in NAMES}


def number(values: dict[str, str], name: str) -> int | None:
    """The value of `name`, or None where it is missing or no number."""
    text = values.get(name, "")
    return int(text) if text.isdecimal() else None


def flag(values: dict[str, str], name: str) -> bool | None:
    """Whether `name` is 1; a kernel that answers without it has it off (as on Intel)."""
    return values.get(name) == "1" if values else None
