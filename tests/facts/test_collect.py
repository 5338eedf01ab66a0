"""Facts of whole machines, from recorded output."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
import psutil
import pytest
from msgspec.structs import replace

from mpsdoctor.facts import memory, pmset, sw_vers, sysctl
from mpsdoctor.facts.agent import Agent
from mpsdoctor.facts.collect import collect
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.disk import storage
from mpsdoctor.facts.probes import mac_answer, picture_answer, torch_answer
from mpsdoctor.facts.probes.interpreter import Interpreter
from mpsdoctor.facts.records import (
    Canary,
    CanaryStatus,
    Facts,
    Hardware,
    Memory,
    ModelState,
    Picture,
    PictureStatus,
    Place,
    Power,
    Pressure,
    ProbeOutcome,
    Python,
    System,
    ThermalState,
    Torch,
)
from mpsdoctor.resources import embedded_model

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
    '{"outcome": "answered", "version": "2.2.2", "mps_built": true, "mps_available": true}\n'
    '{"canaries": ["sdpa"]}\n'
    '{"canary": "sdpa", "precision": "float16", "error": 0.001, "seconds": 0.2}\n',
    "UserWarning: Failed to initialize NumPy",
)
NO_MPS = CommandResult(
    0, '{"outcome": "answered", "version": "2.2.2", "mps_built": true, "mps_available": false}\n'
)
PICTURE = CommandResult(
    0,
    '{"picture": {"stage": "device", "cpu_seconds": 3.0}}\n'
    '{"picture": {"stage": "done", "seconds": 4.0, "not_finite": 0, "largest": 2.0, '
    '"mean": 0.2, "rms": 0.3}}\n',
)
X86_64 = Python(version="3.12.8", machine="x86_64", executable="/opt/python", prefix="/opt")


def installed(python: Python) -> Interpreter:
    """A Python in which nothing is installed."""
    return Interpreter(python, packages={}, requirements={})


def rosetta_mac(argv: Sequence[str], timeout: float) -> CommandResult:
    """An M2 Pro whose Python runs under Rosetta."""
    if argv[-1] == str(mac_answer.PROBE):
        return LIBRARIES
    if str(picture_answer.PROBE) in argv:
        return PICTURE
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
    """All facts of an x86_64 Python on Apple silicon, and every question with its timeout."""
    asked: list[tuple[Sequence[str], float]] = []

    def run(argv: Sequence[str], timeout: float) -> CommandResult:
        asked.append((tuple(argv), timeout))
        return rosetta_mac(argv, timeout)

    packages = {"torch": "2.2.2"}
    requirements: dict[str, tuple[str, ...]] = {"diffusers": ("torch>=1.4",)}
    facts = collect(
        run=run,
        kernel="Darwin",
        interpreter=Interpreter(X86_64, packages, requirements),
        render_on="mps",
        dtype="bfloat16",
        torch_deadline=61.0,
        agent=lambda: Agent(installed=True),
    )

    assert facts == Facts(
        system=System(
            kernel="Darwin",
            macos_version="15.3",
            macos_build="24D60",
            virtual_machine=False,
            sandboxed=False,
        ),
        hardware=Hardware(
            model="Mac14,10",
            chip="Apple M2 Pro",
            apple_silicon=True,
            cpu_cores=12,
            ram_bytes=2**34,
        ),
        python=replace(X86_64, translated=True),
        power=Power(
            on_battery=True,
            battery_percent=72,
            low_power_mode=True,
            thermal_state=ThermalState.FAIR,
        ),
        memory=Memory(
            pressure=Pressure.WARNING,
            swap_used_bytes=int(2694.25 * 2**20),
            wired_limit_bytes=0,
            working_set_bytes=11453251584,
            in_use_bytes=(247311 - 630 + 159117 + 454496) * 16384,
        ),
        packages=packages,
        torch=Torch(
            outcome=ProbeOutcome.ANSWERED, version="2.2.2", mps_built=True, mps_available=True
        ),
        canaries=(
            Canary(
                name="sdpa", status=CanaryStatus.COMPARED, precision="float16", error=0.001,
                seconds=0.2,
            ),
        ),
        requirements=requirements,
        picture=Picture(
            status=PictureStatus.COMPARED, device="mps", dtype="bfloat16", not_finite=0,
            largest=2.0, mean=0.2, rms=0.3, seconds=4.0, cpu_seconds=3.0,
        ),
        agent=Agent(installed=True),
    )  # fmt: skip
    libraries = (sys.executable, "-I", "-S", str(mac_answer.PROBE))
    assert set(asked) == {
        (sw_vers.COMMAND, 10.0),
        (sysctl.COMMAND, 10.0),
        (pmset.BATTERY, 10.0),
        (pmset.SETTINGS, 10.0),
        (memory.VM_STAT, 10.0),
        (libraries, 10.0),
        (("/opt/python", str(torch_answer.PROBE), "--canaries", "mps"), 61.0),
        (picture_question("mps", "bfloat16"), 120.0),
    }
    assert asked.index((memory.VM_STAT, 10.0)) == 1  # before torch uses memory itself


def picture_question(device: str, dtype: str) -> tuple[str, ...]:
    """The command that renders a picture."""
    return ("/opt/python", str(picture_answer.PROBE), str(embedded_model()), device, dtype)


@pytest.mark.parametrize(
    ("render_on", "dtype", "answer", "question"),
    [
        (None, "float16", TORCH, None),
        ("mps", None, TORCH, picture_question("mps", "float16")),
        ("mps", None, NO_MPS, None),
        ("cpu", "float16", NO_MPS, picture_question("cpu", "float32")),
        ("cpu", None, CommandResult(0, '{"outcome": "missing", "error": "no torch"}'), None),
        ("cpu", None, CommandResult(1), None),
    ],
)
def test_a_picture_is_rendered_where_torch_can(
    render_on: Literal["mps", "cpu"] | None,
    dtype: str | None,
    answer: CommandResult,
    question: tuple[str, ...] | None,
) -> None:
    """On mps in the profile's format, on the CPU always in float32."""
    asked: list[tuple[str, ...]] = []

    def run(argv: Sequence[str], timeout: float) -> CommandResult:
        if str(picture_answer.PROBE) in argv:
            asked.append(tuple(argv))
        assert timeout == 60.0 or str(torch_answer.PROBE) not in argv
        return answer if str(torch_answer.PROBE) in argv else rosetta_mac(argv, timeout)

    facts = collect(
        run=run, kernel="Darwin", interpreter=installed(X86_64), render_on=render_on, dtype=dtype
    )
    assert asked == ([question] if question else [])
    assert (facts.picture is None) == (question is None)
    without = collect(
        run=run,
        kernel="Darwin",
        interpreter=installed(X86_64),
        ask_torch=False,
        render_on=render_on,
    )
    assert (without.torch, without.canaries, without.picture) == (None, None, None)


@pytest.mark.parametrize(
    ("machine", "values", "expected"),
    [
        ("x86_64", "hw.optional.arm64: 1\n", (True, True, None)),
        ("arm64", "hw.optional.arm64: 1\n", (True, False, None)),
        ("arm64", "", (True, None, None)),
        ("x86_64", "", (None, None, None)),
        ("x86_64", "hw.model: MacBookPro16,1\n", (False, False, None)),
        ("arm64", "kern.hv_vmm_present: 1\n", (True, False, True)),
        ("arm64", "kern.hv_vmm_present: 0\n", (True, False, False)),
    ],
)
def test_the_machine_is_distinguished_from_the_python_that_runs_on_it(
    machine: str, values: str, expected: tuple[bool | None, bool | None, bool | None]
) -> None:
    """Apple silicon, Rosetta and a virtual machine; unknown if sysctl does not answer."""

    def run(argv: Sequence[str], timeout: float) -> CommandResult:
        return CommandResult(0, values) if tuple(argv) == sysctl.COMMAND else CommandResult(None)

    python = installed(replace(X86_64, machine=machine))
    facts = collect(run=run, kernel="Darwin", interpreter=python, ask_torch=False)
    found = (
        facts.hardware.apple_silicon, facts.python.translated, facts.system.virtual_machine
    )  # fmt: skip
    assert found == expected


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
    ram = psutil.virtual_memory().total
    assert facts.hardware == Hardware(cpu_cores=psutil.cpu_count(logical=False), ram_bytes=ram)
    assert 0 < (facts.memory.in_use_bytes or 0) < ram
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


def test_nothing_asked_is_nothing_known() -> None:
    """No variable is read and no folder touched."""
    facts = collect(ask_torch=False)
    assert (facts.environment, facts.hub_cache) == (None, None)
    assert (facts.hot_folder, facts.model_files) == (None, None)
    assert facts.requirements


def test_everything_asked_round_trips_through_json(tmp_path: Path) -> None:
    """The home is that of the environment; a Mac is asked for the space that it can clear."""

    def run(argv: Sequence[str], timeout: float) -> CommandResult:
        is_storage = tuple(argv[: len(storage.AVAILABLE_COMMAND)]) == storage.AVAILABLE_COMMAND
        return CommandResult(0, "123\n") if is_storage else CommandResult(None)

    facts = collect(
        run=run,
        ask_torch=False,
        kernel="Darwin",
        environ={"HOME": str(tmp_path), "HF_TOKEN": "hf_secret"},
        hot_folder=tmp_path / "Desktop" / "prompts",
        model="org/name",
        dtype="float16",
    )
    assert facts.environment is not None
    assert facts.environment.variables == {"HF_TOKEN": None}
    assert facts.hot_folder is not None
    assert facts.hot_folder.folder.place is Place.USER_FOLDER
    assert facts.hot_folder.folder.volume.available_bytes == 123
    assert facts.hub_cache is not None
    assert facts.hub_cache.folder.path == str(tmp_path.resolve() / ".cache/huggingface/hub")
    assert facts.model_files is not None
    assert (facts.model_files.state, facts.model_files.dtype) == (ModelState.ABSENT, "float16")
    assert facts == msgspec.json.decode(msgspec.json.encode(facts), type=Facts)


def test_collecting_imports_no_torch() -> None:
    """Questions about models and packages are also answered from files."""
    script = (
        "import sys, pathlib; from mpsdoctor.facts.collect import collect; "
        "collect(ask_torch=False, environ={}, hot_folder=pathlib.Path('.'), model='shapes'); "
        "print(sorted({'torch', 'diffusers', 'huggingface_hub'} & sys.modules.keys()))"
    )
    asked = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert asked.stdout.strip() == "[]"
