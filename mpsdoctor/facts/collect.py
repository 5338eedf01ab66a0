"""Gather the facts of this machine from their sources."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import psutil
from msgspec.structs import replace

from mpsdoctor.facts import (
    environment,
    hub_cache,
    mac_answer,
    memory,
    model_files,
    packages,
    pmset,
    python,
    storage,
    sw_vers,
    sysctl,
    torch_answer,
)
from mpsdoctor.facts.command import Runner
from mpsdoctor.facts.command import run as run_command
from mpsdoctor.facts.model import Facts, Hardware, Power, Python, System, ThermalState

TORCH_DEADLINE = 60.0


def collect(
    *,
    run: Runner = run_command,
    ask_torch: bool = True,
    canaries_on: Literal["mps", "cpu"] | None = "mps",
    torch_deadline: float = TORCH_DEADLINE,
    kernel: str | None = None,
    interpreter: Python | None = None,
    environ: Mapping[str, str] | None = None,
    hot_folder: Path | None = None,
    model: str | None = None,
    dtype: str | None = None,
) -> Facts:
    """The facts of this machine; what a source does not tell is None, and nothing is raised.

    The canaries run in the process that asks torch, on mps only where it is available.
    `torch_deadline` is for both, in seconds. `kernel` and `interpreter` stand in for this
    process's own.
    The variables and the Hugging Face cache are those of `environ`; the model's files are looked
    for in that cache, for loading in `dtype`. What is not asked for is None.
    """
    kernel = kernel or platform.system()
    interpreter = interpreter or python.read()
    is_mac = kernel == "Darwin"
    home = Path((environ or {}).get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 (no raise)
    values = sysctl.read(run) if is_mac else {}
    said = mac_answer.ask(run, interpreter.executable or "") if is_mac else mac_answer.MacAnswer()
    hardware = _mac(values, interpreter) if is_mac else _other()
    answer = torch_answer.Answer()
    if ask_torch:
        executable = interpreter.executable or ""
        answer = torch_answer.ask(run, executable, torch_deadline, canaries_on, hardware.chip)
    return Facts(
        system=_macos(run, kernel, values, said.sandboxed) if is_mac else System(kernel=kernel),
        hardware=hardware,
        python=replace(interpreter, translated=sysctl.flag(values, "sysctl.proc_translated")),
        power=_power(run, said.thermal_state) if is_mac else Power(),
        memory=replace(memory.read(values), working_set_bytes=said.working_set_bytes),
        packages=packages.read(),
        torch=answer.torch,
        canaries=answer.canaries,
        requirements=packages.requirements(),
        environment=None if environ is None else environment.read(environ),
        hot_folder=storage.hot_folder(hot_folder, home, run, kernel) if hot_folder else None,
        hub_cache=None if environ is None else hub_cache.read(environ, home, run, kernel),
        model_files=model_files.read(model, environ or {}, home, dtype) if model else None,
    )


def _macos(run: Runner, kernel: str, values: dict[str, str], sandboxed: bool | None) -> System:
    # Where a sandbox forbids the question, the kernel's silence is no answer.
    virtual = sysctl.number(values, "kern.hv_vmm_present")
    return replace(
        sw_vers.read(run, kernel),
        virtual_machine=None if virtual is None else virtual == 1,
        sandboxed=sandboxed,
    )


def _power(run: Runner, thermal_state: ThermalState | None) -> Power:
    return replace(pmset.read(run), thermal_state=thermal_state)


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
