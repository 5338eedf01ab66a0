"""Gather the facts of this machine from their sources."""

import platform

import psutil

from mpsdoctor.facts import packages, python, sw_vers, sysctl, torch_answer
from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.command import run as run_command
from mpsdoctor.facts.model import Facts, Hardware, Python, System, Torch

TORCH_DEADLINE = 60.0


def collect(
    *,
    run: Runner = run_command,
    ask_torch: bool = True,
    torch_deadline: float = TORCH_DEADLINE,
    kernel: str | None = None,
    interpreter: Python | None = None,
) -> Facts:
    """The facts of this machine; what a source does not tell is None, and nothing is raised.

    `torch_deadline` is in seconds. `kernel` and `interpreter` stand in for this process's own.
    """
    kernel = kernel or platform.system()
    interpreter = interpreter or python.read()
    is_mac = kernel == "Darwin"
    values = sysctl.read(run) if is_mac else {}
    return Facts(
        system=sw_vers.read(run, kernel) if is_mac else System(kernel=kernel),
        hardware=_mac(values, interpreter) if is_mac else _other(),
        python=interpreter.model_copy(
            update={"translated": sysctl.flag(values, "sysctl.proc_translated")}
        ),
        packages=packages.read(),
        torch=_torch(run, interpreter, torch_deadline) if ask_torch else None,
    )


def _mac(values: dict[str, str], interpreter: Python) -> Hardware:
    # hw.optional.arm64 is 1 for a process under Rosetta too, which sees an x86_64 machine; an
    # arm64 process settles the question where a sandbox forbids sysctl.
    apple_silicon = interpreter.machine == "arm64" or sysctl.flag(values, "hw.optional.arm64")
    return Hardware(
        model=values.get("hw.model"),
        chip=values.get("machdep.cpu.brand_string"),
        apple_silicon=apple_silicon,
        cpu_cores=sysctl.number(values, "hw.physicalcpu"),
        ram_bytes=sysctl.number(values, "hw.memsize"),
    )


def _other() -> Hardware:
    return Hardware(
        cpu_cores=psutil.cpu_count(logical=False), ram_bytes=psutil.virtual_memory().total
    )


def _torch(run: Runner, interpreter: Python, deadline: float) -> Torch:
    return torch_answer.ask(run, interpreter.executable or "", deadline)
