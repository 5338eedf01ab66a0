"""Facts of whole machines, from recorded output."""

from collections.abc import Sequence

import msgspec
import pytest
from msgspec.structs import replace

from mpsdoctor.facts import memory, pmset, sw_vers, sysctl
from mpsdoctor.facts.agent import Agent
from mpsdoctor.facts.collect import collect
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.probes import mac_answer
from mpsdoctor.facts.probes.interpreter import Interpreter
from mpsdoctor.facts.records import (
    Facts,
    Hardware,
    Memory,
    Power,
    Pressure,
    ProbeOutcome,
    Python,
    System,
    ThermalState,
    Torch,
)

SW_VERS = CommandResult(0, "ProductName:\tmacOS\nProductVersion:\t15.3\nBuildVersion:\t24D60\n")
ROSETTA = CommandResult(
    0,
    "hw.model: Mac14,10\nmachdep.cpu.brand_string: Apple M2 Pro\nhw.physicalcpu: 12\n"
    "hw.memsize: 17179869184\nkern.hv_vmm_present: 0\n"
    "vm.swapusage: total = 4096.00M  used = 2694.25M  free = 1401.75M  (encrypted)\n"
    "kern.memorystatus_vm_pressure_level: 2\nhw.optional.arm64: 1\nsysctl.proc_translated: 1\n"
    "iogpu.wired_limit_mb: 0\n",
)
BATTERY = CommandResult(
    0,
    "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=4325507)\t72%; discharging; 3:12 "
    "remaining present: true\n",
)
SETTINGS = CommandResult(0, "Currently in use:\n lowpowermode         1\n womp                 1\n")
PAGES = CommandResult(
    0,
    "Mach Virtual Memory Statistics: (page size of 16384 bytes)\n"
    "Pages wired down:                        159117.\n"
    "Pages purgeable:                            630.\n"
    "Anonymous pages:                         247311.\n"
    "Pages occupied by compressor:            454496.\n",
)
LIBRARIES = CommandResult(
    0, '{"sandboxed": false, "thermal_state": "fair", "working_set_bytes": 11453251584}\n'
)
TORCH = CommandResult(
    0,
    '{"outcome": "answered", "version": "2.2.2", "mps_built": true, "mps_available": true}\n',
    "UserWarning: Failed to initialize NumPy",
)
X86_64 = Python(version="3.12.8", machine="x86_64", executable="/opt/python", prefix="/opt")


def installed(python: Python) -> Interpreter:
    """A Python in which nothing is installed."""
    return Interpreter(python, packages={}, requirements={})


def rosetta_mac(argv: Sequence[str], timeout: float) -> CommandResult:
    """An M2 Pro whose Python runs under Rosetta."""
    if argv[-1] == str(mac_answer.PROBE):
        return LIBRARIES
    programs = {
        sw_vers.COMMAND: SW_VERS,
        sysctl.COMMAND: ROSETTA,
        pmset.BATTERY: BATTERY,
        pmset.SETTINGS: SETTINGS,
        memory.VM_STAT: PAGES,
    }
    return programs.get(tuple(argv), TORCH)


def silent(argv: Sequence[str], timeout: float) -> CommandResult:
    """A machine on which no program answers."""
    return CommandResult(None, timed_out=True)


def test_a_mac_is_read_from_its_programs() -> None:
    """An x86_64 Python on Apple silicon is distinguished from the machine."""
    facts = collect(run=rosetta_mac, kernel="Darwin", interpreter=installed(X86_64))
    assert facts.system == System(
        kernel="Darwin",
        macos_version="15.3",
        macos_build="24D60",
        virtual_machine=False,
        sandboxed=False,
    )
    assert facts.hardware == Hardware(
        model="Mac14,10", chip="Apple M2 Pro", apple_silicon=True, cpu_cores=12, ram_bytes=2**34
    )
    assert replace(X86_64, translated=True) == facts.python
    assert facts.torch == Torch(
        outcome=ProbeOutcome.ANSWERED, version="2.2.2", mps_built=True, mps_available=True
    )


def test_what_a_mac_is_doing_is_read_from_its_programs() -> None:
    """Current power and memory come from pmset, sysctl, vm_stat and the system's libraries."""
    facts = collect(
        run=rosetta_mac, kernel="Darwin", interpreter=installed(X86_64), ask_torch=False
    )
    assert facts.power == Power(
        on_battery=True, battery_percent=72, low_power_mode=True, thermal_state=ThermalState.FAIR
    )
    assert facts.memory == Memory(
        pressure=Pressure.WARNING,
        swap_used_bytes=int(2694.25 * 2**20),
        wired_limit_bytes=0,
        working_set_bytes=11453251584,
        in_use_bytes=(247311 - 630 + 159117 + 454496) * 16384,
    )


def test_a_mac_without_answers_has_facts() -> None:
    """Missing answers are unknown, and an arm64 Python still proves Apple silicon."""
    arm64 = replace(X86_64, machine="arm64")
    facts = collect(run=silent, kernel="Darwin", interpreter=installed(arm64))
    assert System(kernel="Darwin") == facts.system
    assert Hardware(apple_silicon=True) == facts.hardware
    assert (Power(), Memory()) == (facts.power, facts.memory)
    assert facts.torch is not None
    assert facts.torch.outcome is ProbeOutcome.TIMED_OUT
    assert (
        collect(run=silent, kernel="Darwin", interpreter=installed(X86_64)).hardware == Hardware()
    )


def test_linux_is_not_asked_for_macos() -> None:
    """Off the Mac no program but Python is started; memory comes from psutil."""

    def only_python(argv: Sequence[str], timeout: float) -> CommandResult:
        raise AssertionError(argv)

    facts = collect(run=only_python, kernel="Linux", ask_torch=False)
    assert System(kernel="Linux") == facts.system
    assert facts.hardware.ram_bytes is not None
    assert 0 < (facts.memory.in_use_bytes or 0) < facts.hardware.ram_bytes
    assert facts.torch is None


def test_this_machine_round_trips_through_json() -> None:
    """Facts collected here survive JSON, and include the packages."""
    facts = collect(ask_torch=False)
    assert facts == msgspec.json.decode(msgspec.json.encode(facts), type=Facts)
    assert facts.packages is not None
    assert {"torch", "diffusers", "transformers", "huggingface-hub"} <= facts.packages.keys()
    assert facts.torch_version == facts.packages["torch"]


@pytest.mark.parametrize(("kernel", "agent"), [("Darwin", Agent(installed=True)), ("Linux", None)])
def test_the_agent_is_asked_on_a_mac_alone(kernel: str, agent: Agent | None) -> None:
    """Other systems have no launchd to ask."""
    facts = collect(run=silent, kernel=kernel, ask_torch=False, agent=lambda: Agent(installed=True))

    assert agent == facts.agent
