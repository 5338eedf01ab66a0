"""Gathers the facts of this machine from all sources at the same time."""

import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import psutil
from msgspec.structs import replace

from mpsdoctor.facts import environment, memory, pmset, sw_vers, sysctl
from mpsdoctor.facts.agent import Agent
from mpsdoctor.facts.command import CommandResult, Runner
from mpsdoctor.facts.command import run as run_command
from mpsdoctor.facts.disk import hub_cache, model_files, storage
from mpsdoctor.facts.probes import mac_answer, picture_answer, torch_answer
from mpsdoctor.facts.probes.interpreter import Interpreter, this
from mpsdoctor.facts.records import Facts, Hardware, Picture, ProbeOutcome, Python, Torch
from mpsdoctor.resources import embedded_model

TORCH_DEADLINE = 60.0
PICTURE_DEADLINE = 120.0


def collect(
    *,
    run: Runner = run_command,
    ask_torch: bool = True,
    canaries_on: Literal["mps", "cpu"] | None = "mps",
    render_on: Literal["mps", "cpu"] | None = None,
    torch_deadline: float = TORCH_DEADLINE,
    kernel: str | None = None,
    interpreter: Interpreter | None = None,
    environ: Mapping[str, str] | None = None,
    hot_folder: Path | None = None,
    model: str | None = None,
    dtype: str | None = None,
    agent: Callable[[], Agent] | None = None,
) -> Facts:
    """The facts of this machine; unknown facts are None, and nothing is raised.

    The canaries run in the process that asks torch, on mps only if it is available.
    `torch_deadline`, in seconds, covers both. Then a picture is rendered on `render_on`, under the
    same condition; on mps it is in `dtype`. `kernel` and `interpreter` replace this process's own;
    torch is asked in that interpreter.
    `environ` gives the variables and the place of the Hugging Face cache. The model's files are
    looked for in that cache, for loading in `dtype`. `agent` is called on a Mac only. Facts that
    were not requested are None.
    """
    kernel = kernel or platform.system()
    interpreter = interpreter or this()
    executable = interpreter.python.executable or ""
    is_mac = kernel == "Darwin"
    ask_mac = run if is_mac else _nobody
    home = Path((environ or {}).get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 (no raise)
    values = sysctl.read(ask_mac)
    # Read first, because the question to torch uses memory itself.
    in_use = memory.in_use_bytes(run) if is_mac else _in_use()
    hardware = _mac(values, interpreter.python) if is_mac else _other()
    with ThreadPoolExecutor() as pool:
        system = pool.submit(sw_vers.read, ask_mac, kernel)
        libraries = pool.submit(mac_answer.ask, ask_mac, sys.executable)
        power = pool.submit(pmset.read, ask_mac)
        folder = hot_folder and pool.submit(storage.hot_folder, hot_folder, home, run, kernel)
        cache = None if environ is None else pool.submit(hub_cache.read, environ, home, run, kernel)
        service = pool.submit(agent) if is_mac and agent else None
        # In this thread, so that an interrupt ends the slowest question.
        answer = (
            torch_answer.ask(run, executable, torch_deadline, canaries_on)
            if ask_torch
            else torch_answer.Answer()
        )
        picture = _picture(run, executable, answer.torch, render_on, dtype)
    said = libraries.result()
    return Facts(
        system=replace(
            system.result(), virtual_machine=_virtual_machine(values), sandboxed=said.sandboxed
        ),
        hardware=hardware,
        python=replace(interpreter.python, translated=_translated(values, interpreter.python)),
        power=replace(power.result(), thermal_state=said.thermal_state),
        memory=replace(
            memory.read(values), working_set_bytes=said.working_set_bytes, in_use_bytes=in_use
        ),
        packages=interpreter.packages,
        torch=answer.torch,
        canaries=answer.canaries,
        requirements=interpreter.requirements,
        environment=None if environ is None else environment.read(environ),
        hot_folder=folder.result() if folder else None,
        hub_cache=cache.result() if cache else None,
        model_files=model_files.read(model, environ or {}, home, dtype) if model else None,
        picture=picture,
        agent=service.result() if service else None,
    )


def _picture(
    run: Runner,
    executable: str,
    said: Torch | None,
    device: Literal["mps", "cpu"] | None,
    dtype: str | None,
) -> Picture | None:
    """A picture on `device` in a profile's number format; None if torch cannot render there."""
    if device is None or said is None or said.outcome is not ProbeOutcome.ANSWERED:
        return None
    if device == "mps" and not said.mps_available:
        return None
    dtype = (dtype or "float16") if device == "mps" else "float32"
    return picture_answer.ask(run, executable, PICTURE_DEADLINE, device, embedded_model(), dtype)


def _nobody(_argv: Sequence[str], _timeout: float) -> CommandResult:
    """The runner for macOS's programs on another system."""
    return CommandResult(exit_code=None)


def _virtual_machine(values: dict[str, str]) -> bool | None:
    """Whether this is a virtual machine; None if a sandbox hides the answer."""
    virtual = sysctl.number(values, "kern.hv_vmm_present")
    return None if virtual is None else virtual == 1


def _translated(values: dict[str, str], python: Python) -> bool | None:
    """Whether Rosetta runs this Python: an x86_64 process on Apple silicon."""
    has_arm64 = sysctl.flag(values, "hw.optional.arm64")
    return None if has_arm64 is None else has_arm64 and python.machine == "x86_64"


def _mac(values: dict[str, str], python: Python) -> Hardware:
    # hw.optional.arm64 is also 1 for a process under Rosetta, which sees an x86_64 machine. An
    # arm64 process proves Apple silicon even if a sandbox forbids sysctl.
    apple_silicon = python.machine == "arm64" or sysctl.flag(values, "hw.optional.arm64")
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


def _in_use() -> int:
    memory_now = psutil.virtual_memory()
    return memory_now.total - memory_now.available
