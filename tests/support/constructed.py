"""Machines made for the golden findings: at and beside each limit of each check.

A row differs from `BASE`, a Mac in order, in what its name says.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

import msgspec
from msgspec.structs import replace

from mpsdoctor.facts.agent import Agent, Context, Job
from mpsdoctor.facts.probes.canaries import CANARIES
from mpsdoctor.facts.records import (
    Canary,
    CanaryStatus,
    Environment,
    Facts,
    Folder,
    Hardware,
    HotFolder,
    HubCache,
    Memory,
    ModelFiles,
    ModelState,
    Picture,
    PictureStatus,
    Place,
    Power,
    Pressure,
    ProbeOutcome,
    ProfileFile,
    Python,
    System,
    ThermalState,
    Torch,
    Volume,
)
from mpsdoctor.knowledge.gpu_limit import usual_working_set
from mpsdoctor.knowledge.variables import HIGH, LOW
from mpsdoctor.profile.choice import ENVIRONMENT
from mpsdoctor.units import GB, GIB, MB

Rows = Mapping[str, Facts]

BASE: Final = Facts(
    system=System(kernel="Darwin", macos_version="15.5", virtual_machine=False, sandboxed=False),
    hardware=Hardware(model="Mac14,9", chip="Apple M2 Pro", apple_silicon=True, ram_bytes=64 * GIB),
    python=Python(
        version="3.12.8",
        machine="arm64",
        executable="/Users/jo/pictures/bin/python",
        prefix="/Users/jo/pictures",
        base_prefix="/opt/homebrew/opt/python@3.12/Frameworks/Python.framework/Versions/3.12",
        translated=False,
        conda=False,
        pip=True,
    ),
    torch=Torch(
        outcome=ProbeOutcome.ANSWERED, version="2.13.0", mps_built=True, mps_available=True
    ),
    environment=Environment(variables={}),
)
FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK"
METAL = "PYTORCH_MPS_PREFER_METAL"
FLUX = "black-forest-labs/FLUX.1-schnell"
EVERY = [canary.name for canary in CANARIES]


def with_(facts: Facts = BASE, **changes: object) -> Facts:
    """The machine with other facts; `hardware__chip` names one fact of a group."""
    for name, value in changes.items():
        group, _, fact = name.partition("__")
        new = replace(getattr(facts, group), **{fact: value}) if fact else value
        facts = replace(facts, **{group: new})
    return facts


def rows() -> dict[str, Rows]:
    """The rows of each check, by its id."""
    return {
        **_mac(),
        **_power(),
        **_python(),
        **_pytorch(),
        "MPS305": dict(_arithmetic()),
        **_environment(),
        "MPS310": dict(_faults()),
        "MPS312": dict(_picture()),
        **_memory(),
        **_storage(),
        **_packages(),
        **_model(),
        **_agent(),
        **_profile(),
    }


def _mac() -> dict[str, Rows]:
    sandboxes = product((True, False, None), (None, "APP_SANDBOX_CONTAINER_ID", "CODEX_SANDBOX"))
    return {
        "MPS101": {
            "Linux": with_(system=System(kernel="Linux")),
            "Apple silicon": BASE,
            "sysctl without an answer": with_(hardware=Hardware()),
            "Intel": with_(hardware=Hardware(apple_silicon=False, chip="Intel Core i5")),
            "Intel, chip not known": with_(hardware=Hardware(apple_silicon=False)),
        },
        "MPS102": {
            f"macOS {macos}": with_(system__macos_version=macos)
            for macos in (None, "12.5.9", "12.6", "12.7.6", "13.0")
        },
        "MPS103": {
            f"PyTorch {torch}, macOS {macos}": with_(
                system__macos_version=macos, torch__version=torch
            )
            for torch, macos in (
                (None, "15.5"),
                ("1.11.0", "12.2"),
                ("2.4.1", "12.2.1"),
                ("2.4.1", "12.3"),
                ("2.5.0", "12.7.6"),
                ("2.5.0", "13.0"),
                ("2.9.0", "13.7.6"),
                ("2.9.0", "14.0"),
                ("2.15.0", "14.8"),
                ("2.15.0", "15.0"),
                ("2.15.0", None),
            )
        },
        "MPS104": {
            f"PyTorch {torch}, macOS {macos}": with_(
                system__macos_version=macos, torch__version=torch
            )
            for torch, macos in (
                ("2.13.0", None),
                ("2.14.0", "26.1"),
                ("2.13.0", "26.2"),
                ("2.14.0", "26.2"),
                (None, "26.2"),
                ("2.14.0", "26.2.1"),
                ("2.13.0", "26.3"),
                ("2.13.0", "26.5.2"),
                ("2.13.0", "26.6"),
            )
        },
        "MPS105": {
            f"virtual machine: {virtual}": with_(system__virtual_machine=virtual)
            for virtual in (True, False, None)
        },
        "MPS106": {
            f"sandboxed: {sandboxed}, {variable}, mps: {mps}": with_(
                system__sandboxed=sandboxed,
                torch__mps_available=mps,
                environment=Environment(variables={variable: None} if variable else {}),
            )
            for (sandboxed, variable), mps in product(sandboxes, (True, False))
        }
        | {
            "sandboxed: True, torch not asked": with_(torch=None, system__sandboxed=True),
            "sandboxed: None, no variables recorded": with_(
                torch=None, system__sandboxed=None, environment=None
            ),
        },
    }


def _power() -> dict[str, Rows]:
    return {
        "MPS107": {
            f"Low Power Mode: {mode}": with_(power=Power(low_power_mode=mode))
            for mode in (True, False, None)
        },
        "MPS108": {
            f"on battery: {battery}, {percent} %": with_(
                power=Power(on_battery=battery, battery_percent=percent)
            )
            for battery, percent in ((True, 0), (True, 72), (True, None), (False, 72), (None, 72))
        },
        "MPS109": {
            f"thermal state: {state.value if state else None}": with_(
                power=Power(thermal_state=state)
            )
            for state in (None, *ThermalState)
        },
    }


def _python() -> dict[str, Rows]:
    xcode = "/Library/Developer/CommandLineTools/Library/Frameworks/Python3.framework/Versions/3.9"
    intel = "/usr/local/opt/python@3.12/Frameworks/Python.framework/Versions/3.12"
    organisation = "/Library/Frameworks/Python.framework/Versions/3.12"
    return {
        "MPS201": {
            f"{machine}, translated: {translated}, Apple silicon: {silicon}": with_(
                python__machine=machine,
                python__translated=translated,
                hardware__apple_silicon=silicon,
            )
            for machine, translated, silicon in product(
                ("arm64", "x86_64", None), (True, False, None), (True, None, False)
            )
        }
        | {"Linux": with_(system=System(kernel="Linux"), python__machine="x86_64")},
        "MPS202": {
            f"Python {python}, macOS {macos}, PyTorch {torch}": with_(
                python__version=python, system__macos_version=macos, torch__version=torch
            )
            for python, macos, torch in (
                (None, "15.5", None),
                ("3.12.8", None, None),
                ("3.12.8", "15.5", None),
                ("3.11.9", "15.5", None),
                ("3.10.0", "15.5", None),
                ("3.9.23", "15.5", None),
                ("3.9.12", "12.2.1", None),
                ("3.10.14", "14.5", None),
                ("3.16.0", "15.5", None),
                ("3.16.0", "15.5", "2.17.0"),
                ("3.15.0", "14.5", None),
                ("3.15.0", "15.5", None),
            )
        }
        | {
            "Xcode": with_(python__version="3.9.6", python__executable="/usr/bin/python3"),
        },
        "MPS203": {
            "Homebrew": BASE,
            "origin not known": with_(python__base_prefix=None),
            "/usr/bin/python3": with_(
                python__executable="/usr/bin/python3", python__base_prefix=None
            ),
            "an environment of Xcode's": with_(python__base_prefix=xcode, python__version=None),
        },
        "MPS204": {
            f"{machine}, Apple silicon: {silicon}, {base}, conda: {conda}": with_(
                python__machine=machine,
                hardware__apple_silicon=silicon,
                python__base_prefix=base,
                python__conda=conda,
            )
            for machine, silicon, base, conda in (
                ("arm64", True, intel, False),
                (None, True, intel, False),
                ("arm64", None, intel, False),
                ("x86_64", None, intel, False),
                ("x86_64", False, intel, False),
                ("x86_64", True, intel, None),
                ("x86_64", True, "/Users/jo/miniconda3", True),
                ("x86_64", True, organisation, False),
                ("x86_64", True, organisation, None),
                ("x86_64", True, None, False),
            )
        },
        "MPS205": {
            f"{prefix} of {base}, conda: {conda}": with_(
                python__prefix=prefix, python__base_prefix=base, python__conda=conda
            )
            for prefix, base, conda in (
                ("/x", "/x", False),
                ("/x", "/x", True),
                ("/x", "/x", None),
                ("/env", "/x", None),
                (None, "/x", False),
                ("/x", None, False),
            )
        }
        | {
            "Xcode": with_(
                python__prefix=xcode, python__base_prefix=xcode, python__executable=None
            ),
        },
        "MPS206": {
            f"{executable}, {prefix}": with_(python__executable=executable, python__prefix=prefix)
            for executable, prefix in (
                (None, None),
                ("/Users/jo/pictures/bin/python", "/Users/jo/pictures"),
                ("/Users/jo/Documents/env/bin/python", "/Users/jo/Documents/env"),
                ("~/Desktop/env/bin/python", None),
                (None, "~/Downloads/env"),
                ("/usr/bin/python3", "/Users/jo/Library/CloudStorage/Dropbox/env"),
                ("/Users/jo/Library/Mobile Documents/env/bin/python", None),
                ("/Volumes/SSD/env/bin/python", "/Users/jo/Desktop/env"),
                ("/Users/jo/code/Documents/env/bin/python", "/x/Volumes/env"),
                ("/Users/jo/DocumentsOld/env/bin/python", "/Users/jo/Documents"),
            )
        },
    }


def _pytorch() -> dict[str, Rows]:
    no_gpu = with_(torch__mps_available=False)
    failed = Torch(outcome=ProbeOutcome.FAILED, error="ImportError: no\n symbol")
    return {
        "MPS301": {
            "not asked, packages not known": with_(torch=None),
            "not asked, installed": with_(torch=None, packages={"torch": "2.13.0"}),
            "not asked, not installed": with_(torch=None, packages={}),
            "answered": BASE,
            "timed out": with_(
                torch=Torch(outcome=ProbeOutcome.TIMED_OUT, error="no answer in 60 s")
            ),
            "timed out, no words": with_(torch=Torch(outcome=ProbeOutcome.TIMED_OUT)),
            "missing": with_(torch=Torch(outcome=ProbeOutcome.MISSING)),
            "missing, macOS not known": with_(
                torch=Torch(outcome=ProbeOutcome.MISSING), system__macos_version=None
            ),
            "missing, macOS 12.6": with_(
                torch=Torch(outcome=ProbeOutcome.MISSING), system__macos_version="12.6"
            ),
            "missing, macOS 12.6, Python 3.13": with_(
                torch=Torch(outcome=ProbeOutcome.MISSING),
                system__macos_version="12.6",
                python__version="3.13.1",
            ),
            "missing, macOS 26.2": with_(
                torch=Torch(outcome=ProbeOutcome.MISSING), system__macos_version="26.2"
            ),
            "missing, macOS 11": with_(
                torch=Torch(outcome=ProbeOutcome.MISSING), system__macos_version="11.7"
            ),
            "missing, Python 3.9": with_(
                torch=Torch(outcome=ProbeOutcome.MISSING), python__version="3.9.18"
            ),
            "missing, no environment": with_(
                torch=Torch(outcome=ProbeOutcome.MISSING), python__prefix=BASE.python.base_prefix
            ),
            "missing, no pip": with_(torch=Torch(outcome=ProbeOutcome.MISSING), python__pip=False),
            "missing, Python not known": with_(
                torch=Torch(outcome=ProbeOutcome.MISSING), python=Python()
            ),
            "missing, an environment of Xcode's": with_(
                torch=Torch(outcome=ProbeOutcome.MISSING),
                python=Python(
                    version="3.9.6",
                    executable="/env/bin/python",
                    prefix="/env",
                    base_prefix="/Library/Frameworks/Python3.framework/Versions/3.9",
                ),
            ),
            "missing, Xcode": with_(
                torch=Torch(outcome=ProbeOutcome.MISSING),
                python=Python(
                    version="3.9.6",
                    executable="/usr/bin/python3",
                    prefix="/x",
                    base_prefix="/x",
                    conda=False,
                ),
            ),
            "failed": with_(torch=failed),
            "failed, no words": with_(torch=Torch(outcome=ProbeOutcome.FAILED)),
            "failed with 400 characters": with_(torch=replace(failed, error="x" * 400)),
            "failed with many words": with_(torch=replace(failed, error="word " * 81)),
        },
        "MPS302": {
            f"PyTorch {torch}": with_(torch__version=torch)
            for torch in (None, "1.12.1", "1.13.0", "1.13.1", "2.0.0", "2.0.0a0")
        },
        "MPS303": {
            f"built: {built}, available: {available}": with_(
                torch__mps_built=built, torch__mps_available=available
            )
            for built, available in product((True, False, None), (True, False, None))
        }
        | {
            "not asked": with_(torch=None),
            "built without, no version": with_(
                torch=replace(failed, mps_built=False),
            ),
        },
        "MPS304": {
            "not asked": with_(torch=None),
            "not known": with_(torch__mps_available=None),
            "available in a sandbox": with_(system__sandboxed=True),
            "not available": no_gpu,
            "not available, nothing else known": with_(
                no_gpu,
                environment=None,
                hardware=Hardware(),
                torch__version=None,
                python=Python(),
            ),
            "in a sandbox and a virtual machine": with_(
                no_gpu, system__sandboxed=True, system__virtual_machine=True
            ),
            "in Codex": with_(
                no_gpu, environment=Environment(variables={"CODEX_SANDBOX": "seatbelt"})
            ),
            "in App Sandbox": with_(
                no_gpu, environment=Environment(variables={"APP_SANDBOX_CONTAINER_ID": None})
            ),
            "in a virtual machine": with_(no_gpu, system__virtual_machine=True),
            "on VirtualMac2,1": with_(no_gpu, hardware__model="VirtualMac2,1"),
        },
    }


def canary(name: str, status: CanaryStatus = CanaryStatus.WRONG, **values: object) -> Canary:
    """One canary's answer."""
    return msgspec.convert({"name": name, "status": status, **values}, Canary)


def all_but(*changed: Canary) -> tuple[Canary, ...]:
    """Every canary, ok except those."""
    given = {one.name: one for one in changed}
    return tuple(given.get(name, canary(name, CanaryStatus.OK, error=0.0)) for name in EVERY)


def by_hand(dtype: str, *pinned: str, device: str = "mps") -> ProfileFile:
    """A profile with these settings by hand."""
    return ProfileFile(path="/p.toml", settings={"dtype": dtype, "device": device}, pinned=pinned)


def _arithmetic() -> Iterator[tuple[str, Facts]]:
    lost = canary("conv3d", CanaryStatus.CRASHED, detail="SIGABRT")
    wrong = canary("linear-bias", error=0.2273, tolerance=0.0001)
    half = canary("sdpa", error=0.5, tolerance=0.02)
    twice = canary("linear-twice-bf16", error="nan", tolerance=0.05)
    mild = canary("copy-non-blocking", error=3.0, tolerance=0.0)
    video = canary("conv3d", error=0.5, tolerance=0.02)
    qwen = ModelFiles(model="Qwen/Qwen-Image", state=ModelState.ABSENT)
    yield "not tested", BASE
    yield "ended before the first", with_(canaries=())
    yield "all right", with_(canaries=all_but())
    for name in EVERY:
        yield f"{name} wrong", with_(canaries=all_but(canary(name, error=0.5, tolerance=0.0001)))
    yield (
        "PyTorch that is not known, fft wrong",
        with_(canaries=(canary("fft", error=1.0, tolerance=0.1),), torch__version=None),
    )
    yield "wrong without a number", with_(canaries=all_but(canary("argmax", tolerance=0.02)))
    yield "two wrong", with_(canaries=all_but(wrong, canary("argmax", CanaryStatus.FAILED)))
    yield "one wrong, one tolerable", with_(canaries=all_but(mild, wrong))
    yield "two tolerable", with_(canaries=all_but(mild, canary("cumsum", error="nan")))
    yield (
        "the same impact twice",
        with_(canaries=(canary("fft", error=1.0, tolerance=0.1), canary("fft2", error=2.0))),
    )
    yield (
        "two exceptions",
        with_(
            canaries=all_but(
                canary("argmax", CanaryStatus.FAILED, detail="RuntimeError: no kernel"),
                canary("int64", CanaryStatus.FAILED),
            )
        ),
    )
    yield (
        "off by 1 %, compared",
        with_(
            canaries=all_but(
                canary("linear-bias", CanaryStatus.COMPARED, error=0.01, precision="float32")
            )
        ),
    )
    yield (
        "off by 1 % on an M5, compared",
        with_(
            canaries=all_but(
                canary("linear-bias", CanaryStatus.COMPARED, error=0.01, precision="float32")
            ),
            hardware__chip="Apple M5",
        ),
    )
    for torch, macos in (
        ("2.4.1", "13.7.4"),
        ("2.4.1", "14.7.4"),
        ("2.14.1", "15.6"),
        ("2.14.1", "26.2"),
        ("2.12.1", "26.2"),
        ("99.0", "15.5"),
    ):
        yield (
            f"all wrong, PyTorch {torch}, macOS {macos}",
            with_(
                canaries=tuple(canary(name, error=0.5, tolerance=0.02) for name in EVERY),
                torch__version=torch,
                system__macos_version=macos,
            ),
        )
        yield (
            f"attention wrong, PyTorch {torch}, macOS {macos}",
            with_(
                canaries=all_but(canary("baddbmm-beta-zero", error="nan"), half),
                torch__version=torch,
                system__macos_version=macos,
            ),
        )
    yield (
        "wrong in bfloat16, on an M5",
        with_(canaries=all_but(twice), hardware__chip="Apple M5", system__macos_version="26.4"),
    )
    for dtype, pinned in product(("float16", "float32"), ((), ("dtype",))):
        yield (
            f"attention wrong, {dtype} in the profile, {pinned} by hand",
            with_(canaries=all_but(half), profile=by_hand(dtype, *pinned)),
        )
    yield (
        "linear layers wrong, device mps by hand",
        with_(canaries=all_but(wrong), profile=by_hand("float16", "device", "dtype")),
    )
    yield (
        "linear layers wrong, device cpu by hand",
        with_(canaries=all_but(wrong), profile=by_hand("float16", "device", device="cpu")),
    )
    yield (
        "convolutions over time wrong, Qwen-Image",
        with_(canaries=all_but(video), model_files=qwen),
    )
    for status, detail in product((CanaryStatus.CRASHED, CanaryStatus.TIMED_OUT), ("", "SIGABRT")):
        yield (
            f"{status.value}, {detail or 'no words'}",
            with_(canaries=all_but(replace(lost, status=status, detail=detail))),
        )
    yield (
        "crashed, another timed out",
        with_(canaries=all_but(canary("argmax", CanaryStatus.TIMED_OUT), lost)),
    )
    yield (
        "crashed, two tolerable",
        with_(canaries=all_but(lost, mild, canary("cumsum", error=1.0, tolerance=0.0))),
    )
    yield "crashed, one wrong", with_(canaries=all_but(lost, wrong))
    skipped = tuple(canary(name, CanaryStatus.SKIPPED) for name in EVERY)
    yield "all skipped", with_(canaries=skipped)
    yield (
        "all skipped but one",
        with_(canaries=(canary(EVERY[0], CanaryStatus.OK, error=0.0), *skipped[1:])),
    )
    on_cpu = tuple(canary(name, CanaryStatus.OK, device="cpu", error=0.0) for name in EVERY)
    yield "on the CPU, mps available", with_(canaries=on_cpu)
    yield (
        "on the CPU but one, mps available",
        with_(canaries=(canary(EVERY[0], CanaryStatus.OK, error=0.0), *on_cpu[1:])),
    )
    yield "on the CPU, no mps", with_(canaries=on_cpu, torch__mps_available=False)
    yield "on the CPU, torch not asked", with_(canaries=on_cpu, torch=None)
    yield "on the CPU, one wrong", with_(canaries=(replace(wrong, device="cpu"), *on_cpu[1:]))
    yield (
        "on the CPU, one tolerable",
        with_(canaries=(replace(mild, device="cpu"), *on_cpu[1:]), torch__mps_available=False),
    )
    yield "the CPU wrong, then the GPU", with_(canaries=(replace(mild, device="cpu"), wrong))


def _environment() -> dict[str, Rows]:
    def sets(**variables: str | None) -> Facts:
        return with_(environment=Environment(variables=variables))

    def ratios(high: str | None, low: str | None) -> Facts:
        return sets(**{name: text for name, text in ((HIGH, high), (LOW, low)) if text is not None})

    unknown = with_(environment=None)
    return {
        "MPS306": {
            "not recorded": unknown,
            "none": BASE,
            "known ones": sets(**{HIGH: "1", FALLBACK: "1"}),
            "PYTORCH without MPS": sets(PYTORCH_ALLOC_CONF="x", MPS_PYTORCH="1"),
            "like two": sets(PYTORCH_MPS_WATERMARK_RATIO="1"),
            "like one, and like none": sets(
                PYTORCH_MPS_XYZZY="1", PYTORCH_MPS_HIGH_WATERMARK="1", PYTORCH_MPS_FASTMATH="1"
            ),
            "like none": sets(PYTORCH_MPS_XYZZY="1"),
        },
        "MPS307": {
            "not recorded": unknown,
            "not set": BASE,
            "high one not told": sets(**{HIGH: None, LOW: "0.8"}),
            "low one not told": sets(**{HIGH: "1.0", LOW: None}),
        }
        | {
            f"high {high!r}, low {low!r}": ratios(high, low)
            for high, low in (
                ("1.0", "0.8"),
                ("1.0", "1.0"),
                ("1.0", "1.1"),
                ("0", None),
                ("0.0", "1.9"),
                ("0.0", "2"),
                ("0.0", "2.1"),
                ("1.4", None),
                ("1.39", None),
                ("2", "2"),
                ("2.01", "0.5"),
                ("-0.1", "0"),
                ("-0", "0"),
                ("1.0", "-0.1"),
                ("1.0", "0"),
                (None, "1.7"),
                (None, "1.71"),
                ("0,8", None),
                ("0,8", "0,7"),
                ("1.5GB", "1.0"),
                ("80%", "0.7"),
                ("", None),
                ("none", "1.0"),
            )
        },
        "MPS308": {
            "not recorded": unknown,
            "none": BASE,
            **{
                f"{name}={value!r}": sets(**{name: value})
                for name, value in (
                    (FALLBACK, "0"),
                    (FALLBACK, "00"),
                    (FALLBACK, " Off "),
                    (FALLBACK, "true"),
                    (FALLBACK, ""),
                    (FALLBACK, None),
                    (METAL, "0"),
                    (METAL, " 0.0 "),
                    (METAL, "1"),
                    ("PYTORCH_MPS_FAST_MATH", "no"),
                    (HIGH, "0"),
                    ("PYTORCH_DEBUG_MPS_ALLOCATOR", "0"),
                )
            },
            **{
                f"fallback {value}": sets(**{FALLBACK: value})
                for value in ("0.0", "false", "f", "n", "none", "disabled")
            },
            "two": sets(**{FALLBACK: "false", METAL: "0", HIGH: "1"}),
        },
        "MPS309": {
            "not recorded": unknown,
            "none": BASE,
            "one": with_(environment=Environment(variables={}, set_late=(FALLBACK,))),
            "two": with_(environment=Environment(variables={}, set_late=(FALLBACK, HIGH))),
        },
        "MPS311": {
            "not recorded": unknown,
            "none of PyTorch's": sets(HF_HOME="/hf", PYTORCH_MPS_XYZZY="1"),
            "the profile's own": sets(**{FALLBACK: "1"}),
            "the profile's own, off": sets(**{FALLBACK: "0"}),
            "two": sets(**{HIGH: "1.2", FALLBACK: "1", METAL: "1"}),
        },
    }


def _faults() -> Iterator[tuple[str, Facts]]:
    for torch, macos, chip in (
        ("2.2.2", "13.6", "Apple M1"),
        ("2.6.0", "15.5", "Apple M1"),
        ("2.6.0", "15.5", None),
        ("2.12.1", "26.2", "Apple M5"),
        ("2.14.1", "13.6", "Apple M2"),
        ("2.14.1", "26.2", "Apple M5"),
        ("2.15.0", "15.5", "Apple M5"),
    ):
        yield (
            f"PyTorch {torch}, macOS {macos}, {chip}",
            with_(torch__version=torch, system__macos_version=macos, hardware__chip=chip),
        )
    yield "PyTorch not known", with_(torch__version=None)
    yield "macOS not known", with_(system__macos_version=None)
    yield "Linux", with_(system=System(kernel="Linux"))
    new = with_(system__macos_version="27.0", hardware__chip="Apple M5", torch__version="2.15.0")
    yield "the newest", new
    for name, status in product(("sdpa-causal", "conv2d-sliced-weight"), CanaryStatus):
        yield f"the newest, {name} {status.value}", with_(new, canaries=(canary(name, status),))
    yield "the newest, on the CPU", with_(new, canaries=(canary("sdpa-causal", device="cpu"),))
    for name in ("argmax", "conv-chunk", "int64", "linear-bias"):
        yield f"only {name} wrong", with_(canaries=all_but(canary(name)))
    yield "two wrong", with_(canaries=all_but(canary("argmax"), canary("linear-bias")))
    yield "all right", with_(canaries=all_but())


def _picture() -> Iterator[tuple[str, Facts]]:
    right = Picture(
        status=PictureStatus.COMPARED, device="mps", dtype="float16", not_finite=0, rms=1.0
    )
    wrong = replace(right, rms=1.0001, largest=255.0)
    canaries = all_but()
    for name, picture in (
        ("none", None),
        ("at the tolerance", right),
        ("above the tolerance", wrong),
        ("wrong, as recorded", replace(wrong, status=PictureStatus.WRONG, tolerance=0.5)),
        ("wrong without numbers", replace(wrong, status=PictureStatus.WRONG, rms=None)),
        ("no largest difference", replace(wrong, largest=None)),
        ("wrong in float32", replace(wrong, dtype="float32")),
        ("wrong in bfloat16", replace(wrong, dtype="bfloat16")),
        ("one number not finite", replace(right, not_finite=1, rms=None)),
        ("an exception", replace(right, status=PictureStatus.FAILED, detail="RuntimeError: x")),
        ("right on the CPU", replace(right, device="cpu", dtype="float32")),
        ("wrong on the CPU", replace(wrong, device="cpu", dtype="float32")),
        ("not compared", replace(right, status=PictureStatus.NOT_COMPARED, detail="no Diffusers")),
        ("crashed", replace(right, status=PictureStatus.CRASHED, detail="SIGABRT")),
        ("timed out", replace(right, status=PictureStatus.TIMED_OUT)),
    ):
        yield name, with_(canaries=canaries, picture=picture)
    kolors = ModelFiles(model="a", state=ModelState.ABSENT, pipeline="KolorsPipeline")
    for dtype in ("float16", "float32"):
        named = f"wrong in {dtype}, a model that renders in float32"
        yield named, with_(picture=replace(wrong, dtype=dtype), model_files=kolors)
    yield (
        "right on the CPU, no mps",
        with_(picture=replace(right, device="cpu"), torch__mps_available=False),
    )
    yield (
        "right on the CPU, torch not asked",
        with_(picture=replace(right, device="cpu"), torch=None),
    )
    for dtype, pinned in product(("float16", "float32"), ((), ("dtype",), ("dtype", "device"))):
        yield (
            f"wrong, {dtype} in the profile, {pinned} by hand",
            with_(canaries=canaries, picture=wrong, profile=by_hand(dtype, *pinned)),
        )


def _memory() -> dict[str, Rows]:
    def memory(ram: int | None, **now: object) -> Facts:
        return with_(hardware__ram_bytes=ram, memory=msgspec.convert(now, Memory))

    def limit(ram: int, high: str | None, working_set: int | None = None) -> Facts:
        variables = {} if high is None else {HIGH: high}
        return with_(
            hardware__ram_bytes=ram,
            memory=Memory(working_set_bytes=working_set),
            environment=msgspec.convert({"variables": variables}, Environment),
        )

    usual = usual_working_set(64 * GIB)
    return {
        "MPS401": {
            name: memory(ram)
            for name, ram in (
                ("not known", None),
                ("8 GiB", 8 * GIB),
                ("below 16 GiB", 16 * GIB - 1),
                ("16 GiB", 16 * GIB),
                ("below 64 GiB", 64 * GIB - 1),
                ("64 GiB", 64 * GIB),
            )
        },
        "MPS402": {
            "nothing known": memory(64 * GIB),
            "macOS decides": memory(64 * GIB, wired_limit_bytes=0),
            "memory not known": memory(None, working_set_bytes=8 * GIB),
            "memory not known, limit set": memory(None, wired_limit_bytes=8 * GIB),
            "90 % of the usual by Metal": memory(
                64 * GIB, working_set_bytes=-int(-0.9 * usual // 1)
            ),
            "below it by Metal": memory(64 * GIB, working_set_bytes=int(0.9 * usual) - 1),
            "below it by Metal, macOS decides": memory(
                64 * GIB, working_set_bytes=8 * GIB, wired_limit_bytes=0
            ),
            "90 % of the usual by a limit": memory(
                64 * GIB, wired_limit_bytes=-int(-0.9 * usual // 1)
            ),
            "below it by a limit": memory(64 * GIB, wired_limit_bytes=int(0.9 * usual) - 1),
        },
        "MPS403": {
            "nothing known": memory(64 * GIB),
            "macOS decides": memory(64 * GIB, wired_limit_bytes=0),
            "memory not known": memory(None, wired_limit_bytes=8 * GIB),
            "leaves 8 GiB of 64": memory(64 * GIB, wired_limit_bytes=56 * GIB),
            "leaves less than 8 GiB of 64": memory(64 * GIB, wired_limit_bytes=56 * GIB + 1),
            "the usual of 16 GiB": memory(16 * GIB, wired_limit_bytes=usual_working_set(16 * GIB)),
            "more than the usual of 16 GiB": memory(
                16 * GIB, wired_limit_bytes=usual_working_set(16 * GIB) + 1
            ),
            "more than there is": memory(64 * GIB, wired_limit_bytes=65 * GIB),
            "raised, Metal gives less": memory(
                64 * GIB, wired_limit_bytes=60 * GIB, working_set_bytes=48 * GIB
            ),
        },
        "MPS404": {
            f"pressure: {level.value if level else None}": memory(64 * GIB, pressure=level)
            for level in (None, *Pressure)
        },
        "MPS405": {
            "not known": memory(64 * GIB),
            "none": memory(None, swap_used_bytes=0),
            "memory not known": memory(None, swap_used_bytes=1),
            "below a quarter": memory(64 * GIB, swap_used_bytes=16 * GIB - 1),
            "a quarter": memory(64 * GIB, swap_used_bytes=16 * GIB),
        },
        "MPS406": {
            "memory not known": memory(None),
            "64 GiB, the default": limit(64 * GIB, None, 48 * GIB),
            "below 64 GiB, the default": limit(64 * GIB - 1, None, 48 * GIB),
            "the memory itself": limit(16 * GIB, "1.0", 16 * GIB),
            "more than the memory": limit(16 * GIB, "1.0", 16 * GIB + 1),
            "Metal not asked": limit(16 * GIB, None),
            "the greatest ratio": limit(16 * GIB, "2.0", 12 * GIB),
            "a rejected ratio": limit(16 * GIB, "2.01", 12 * GIB),
            "a negative ratio": limit(16 * GIB, "-1", 12 * GIB),
            "no limit": limit(16 * GIB, "0", 12 * GIB),
            "variables not known, the default": with_(
                limit(16 * GIB, None, 12 * GIB), environment=None
            ),
            "variables not known, a small default": with_(
                limit(16 * GIB, None, 8 * GIB), environment=None
            ),
        },
    }


def folder(**values: object) -> Folder:
    """A folder in order, except for these."""
    order: dict[str, object] = {"path": "/Users/jo/a b", "exists": True, "usable": True}
    return msgspec.convert(order | values, Folder)


def _storage() -> dict[str, Rows]:
    def hot(**values: object) -> Facts:
        return with_(hot_folder=HotFolder(folder=folder(**values)))

    def cache(files: ModelFiles | None = None, /, **values: object) -> Facts:
        return with_(hub_cache=HubCache(folder=folder(**values)), model_files=files)

    def free(size: float, available: float | None = None) -> Volume:
        more = None if available is None else int(available)
        return Volume(free_bytes=int(size), available_bytes=more)

    flux = ModelFiles(model=FLUX, state=ModelState.ABSENT)
    unknown = {"not examined": BASE}
    unusable = {
        f"{error}, exists: {exists}, nearest: {nearest}, {path}": {
            "path": path,
            "exists": exists,
            "usable": False,
            "error": error,
            "nearest": nearest,
        }
        for error, exists, nearest, path in (
            ("EPERM", True, None, "/Users/jo/a b"),
            ("EPERM", False, "/Users/jo", "/Users/jo/a b"),
            ("EACCES", True, None, "/Users/jo/a b"),
            ("EACCES", False, "/Users/jo x", "/Users/jo x/a b"),
            ("there is no home directory", False, None, "~/a b"),
        )
    }
    linux = System(kernel="Linux")
    return {
        "MPS501": unknown
        | {
            name: hot(volume=volume)
            for name, volume in (
                ("not known", Volume()),
                ("below 0.2 GB", free(0.2 * GB - 1)),
                ("0.2 GB", free(0.2 * GB)),
                ("below 2 GB, as much available", free(2 * GB - 1, 2 * GB - 1)),
                ("below 2 GB, more available", free(2 * GB - 1, 9 * GB)),
                ("2 GB", free(2 * GB)),
            )
        },
        "MPS502": unknown
        | {
            name: cache(files, volume=volume)
            for name, files, volume in (
                ("not known", None, Volume()),
                ("10 GB", None, free(10 * GB)),
                ("below 10 GB", None, free(10 * GB - 1)),
                ("below 10 GB, 10 GB available", None, free(10 * GB - 1, 10 * GB)),
                ("below 10 GB, less available", None, free(9 * GB, 10 * GB - 1)),
                ("FLUX", flux, free(34 * GB)),
                ("FLUX, too little", flux, free(33 * GB)),
                ("FLUX, enough available", flux, free(1 * GB, 40 * GB)),
                ("another model", replace(flux, model="a/b"), free(9 * GB)),
                ("FLUX partly", replace(flux, state=ModelState.PARTIAL), free(1 * GB)),
                ("FLUX complete", replace(flux, state=ModelState.COMPLETE), free(1 * GB)),
                ("FLUX as pickles", replace(flux, state=ModelState.PICKLED), free(1 * GB)),
            )
        },
        "MPS503": unknown
        | {name: cache(**values) for name, values in unusable.items()}
        | {place.value: cache(place=place) for place in Place}
        | {f"{place.value}, Linux": with_(cache(place=place), system=linux) for place in Place}
        | {
            "variables not recorded": with_(cache(), environment=None),
            **{
                ", ".join(f"{name}={value}" for name, value in variables.items()): with_(
                    cache(), environment=Environment(variables=dict(variables))
                )
                for variables in (
                    {"TRANSFORMERS_CACHE": "/t"},
                    {"HF_HUB_CACHE": "/a", "HUGGINGFACE_HUB_CACHE": "/b"},
                    {"HF_HUB_CACHE": "/a", "HUGGINGFACE_HUB_CACHE": "/a"},
                    {"HUGGINGFACE_HUB_CACHE": "/b"},
                    {"HF_HOME": "/a", "HF_HUB_CACHE": "/a/hub"},
                    {
                        "TRANSFORMERS_CACHE": "/t",
                        "HF_HUB_CACHE": "/a",
                        "HUGGINGFACE_HUB_CACHE": "/b",
                    },
                )
            },
        },
        "MPS504": unknown
        | {
            "in order": cache(),
            "missing": cache(exists=False),
            "not usable": cache(usable=False, error="EACCES"),
            "missing, cannot be created": cache(usable=False, exists=False, error="EACCES"),
            "two damaged": with_(hub_cache=HubCache(folder=folder(), damaged=("a/b", "a/c d"))),
            "one unfinished": with_(
                hub_cache=HubCache(folder=folder(), unfinished=1, unfinished_bytes=3 * GB)
            ),
            "one damaged, two unfinished": with_(
                hub_cache=HubCache(
                    folder=folder(), damaged=("a/b",), unfinished=2, unfinished_bytes=3 * GB
                )
            ),
        },
        "MPS505": unknown
        | {name: hot(**values) for name, values in unusable.items()}
        | {
            f"{place.value}, exists: {exists}, {system.kernel}": with_(
                hot(place=place, exists=exists), system=system
            )
            for place, exists, system in product(Place, (True, False), (BASE.system, linux))
        },
        "MPS506": unknown
        | {
            f"one volume: {one}, usable: {usable}": with_(
                hot_folder=HotFolder(folder=folder(usable=usable), one_volume=one)
            )
            for one, usable in product((True, False, None), (True, False))
        },
        **{
            check: unknown
            | {
                f"{place.value}, {system.kernel}": with_(hot(place=place), system=system)
                for place, system in product(Place, (BASE.system, linux))
            }
            for check in ("MPS507", "MPS508")
        },
    }


def _packages() -> dict[str, Rows]:
    fitting = {
        "torch": "2.13.0",
        "diffusers": "0.42.1",
        "transformers": "5.23.0",
        "accelerate": "1.15.0",
        "safetensors": "0.8.0",
        "huggingface-hub": "2.4.0",
        "tokenizers": "0.23.3",
    }
    needs = {
        "diffusers": ("huggingface-hub<3.0,>=1.32.0", "safetensors>=0.8.0", "not a requirement"),
        "diffusers[torch]": ("torch>=2.6", "accelerate>=0.31.0"),
        "transformers": ("tokenizers<0.24.0,>=0.23.1",),
        "accelerate": ("torch>=2.0.0",),
        "mpsdoctor[render]": ("torch>=2.6", "diffusers<0.43,>=0.35"),
    }

    def installed(**changes: str | None) -> Facts:
        named = {name.replace("_", "-"): version for name, version in changes.items()}
        packages = {name: version for name, version in (fitting | named).items() if version}
        return with_(packages=packages, requirements=needs)

    def without(package: str) -> Rows:
        packages = {name: version for name, version in fitting.items() if name != package}
        missing = with_(packages=packages)
        return {
            "not known": BASE,
            "installed": with_(packages=fitting),
            "missing": missing,
            "missing, no pip": with_(missing, python__pip=False),
            "missing, pip not known": with_(missing, python__pip=None),
            "missing, no environment": with_(missing, python__prefix=BASE.python.base_prefix),
            "missing, conda": with_(
                missing, python__prefix=BASE.python.base_prefix, python__conda=True
            ),
            "missing, Python not known": with_(missing, python=Python()),
        }

    return {
        "MPS601": without("diffusers"),
        "MPS602": without("transformers"),
        "MPS603": {
            "nothing known": BASE,
            "requirements not known": with_(packages=fitting),
            "packages not known": with_(requirements=needs),
        }
        | {
            ", ".join(f"{name} {version}" for name, version in changes.items()): installed(
                **changes
            )
            for changes in (
                {"torch": "2.13.0"},
                {"huggingface_hub": "0.29.3"},
                {"huggingface_hub": "3.0.0"},
                {"huggingface_hub": "2.5.0.dev0"},
                {"safetensors": None},
                {"safetensors": "no version"},
                {"torch": "2.5.1"},
                {"torch": "2.6.0.dev20250101"},
                {"torch": "1.13.0"},
                {"torch": None},
                {"accelerate": "0.30.0"},
                {"accelerate": None},
                {"diffusers": None, "huggingface_hub": "0.29.3"},
                {"diffusers": "0.43.0"},
                {"diffusers": "0.43.0", "mpsdoctor": "0.1.0"},
                {"torch": "2.5.1", "mpsdoctor": "0.1.0"},
                {"torch": "2.5.1", "diffusers": "0.30.0", "mpsdoctor": "0.1.0"},
                {"accelerate": "0.30.0", "tokenizers": "0.24.0", "torch": "2.5.1"},
                {"accelerate": "0.30.0", "mpsdoctor": "0.1.0", "diffusers": "0.43.0"},
            )
        }
        | {
            "diffusers 0.43.0, torch not needed": with_(
                packages=fitting | {"diffusers": "0.43.0", "mpsdoctor": "0.1.0"},
                requirements={"mpsdoctor[render]": ("diffusers<0.43,>=0.35",)},
            ),
        },
        "MPS604": without("accelerate"),
    }


def _model() -> dict[str, Rows]:
    def model(files: ModelFiles, **variables: str) -> Facts:
        return with_(model_files=files, environment=Environment(variables=dict(variables)))

    def files(state: ModelState, name: str = "a/b c", **values: object) -> ModelFiles:
        return msgspec.convert({"model": name, "state": state, **values}, ModelFiles)

    def format_(name: str, pipeline: str | None, dtype: str) -> Facts:
        return model(files(ModelState.COMPLETE, name, pipeline=pipeline, dtype=dtype))

    none = {"no model": BASE}
    places = ("a/b c", "/models/mine", "~/mine", "./mine", "shapes")
    many = tuple(f"unet/{number}" for number in range(7))
    small = with_(hardware__ram_bytes=16 * GIB)
    return {
        "MPS605": none
        | {f"{state.value}": model(files(state)) for state in ModelState}
        | {
            f"{state.value}: {place}": model(files(state, place, missing=("x",)))
            for state, place in product((ModelState.ABSENT, ModelState.PARTIAL), places[1:])
        }
        | {
            f"{count} missing": model(files(ModelState.PARTIAL, missing=many[:count]))
            for count in (1, 5, 6, 7)
        }
        | {
            f"absent, {name}={value}": model(files(ModelState.ABSENT), **{name: value})
            for name, value in (
                *(("HF_HUB_OFFLINE", value) for value in ("1", "ON", "yes", "True", "0", "")),
                ("TRANSFORMERS_OFFLINE", "1"),
            )
        }
        | {
            "absent, variables not recorded": with_(
                model_files=files(ModelState.ABSENT), environment=None
            ),
            "FLUX absent, 64 GiB": model(files(ModelState.ABSENT, FLUX)),
            "FLUX absent, 16 GiB": with_(small, model_files=files(ModelState.ABSENT, FLUX)),
            "FLUX absent, Linux": with_(
                small, model_files=files(ModelState.ABSENT, FLUX), system=System(kernel="Linux")
            ),
        },
        "MPS606": none
        | {
            f"{state.value}: {place}": model(files(state, place, pickled=("unet", "vae")))
            for state, place in product(ModelState, places)
        },
        "MPS607": none
        | {"no format": model(files(ModelState.COMPLETE, FLUX))}
        | {
            f"{name}, {pipeline} in {dtype}": format_(name, pipeline, dtype)
            for name, pipeline, dtype in (
                (FLUX, None, "float16"),
                (FLUX, None, "bfloat16"),
                (FLUX, None, "float32"),
                (FLUX, "StableDiffusionXLPipeline", "float16"),
                ("a/b", "KolorsPipeline", "float16"),
                ("a/b", "KolorsPipeline", "bfloat16"),
                ("a/b", "HiDreamImagePipeline", "float16"),
                ("a/b", "HiDreamImagePipeline", "bfloat16"),
                ("a/b", "SanaPipeline", "float16"),
                ("a/b", None, "float16"),
                ("a/b", None, "bfloat16"),
            )
        }
        | {
            f"{pipeline} in {dtype}, macOS {macos}, PyTorch {torch}": with_(
                format_("a/b", pipeline, dtype),
                system__macos_version=macos,
                torch__version=torch,
            )
            for (macos, torch), (pipeline, dtype) in product(
                (("13.7", "2.13.0"), ("14.0", "2.2.2"), ("14.0", "2.3.0"), (None, "2.13.0")),
                (
                    ("FluxPipeline", "bfloat16"),
                    ("FluxPipeline", "float16"),
                    ("StableDiffusionXLPipeline", "bfloat16"),
                ),
            )
        }
        | {
            f"FLUX in float16, {dtype} in the profile, {pinned} by hand": with_(
                format_(FLUX, None, "float16"), profile=by_hand(dtype, *pinned)
            )
            for dtype, pinned in product(("float16", "bfloat16"), ((), ("dtype",)))
        },
        "MPS608": none
        | {
            name: with_(
                model_files=files(ModelState.COMPLETE, model_name, dtype=dtype),
                hardware__ram_bytes=ram,
                memory=Memory(working_set_bytes=working_set),
            )
            for name, model_name, dtype, ram, working_set in (
                ("the embedded model", "shapes", "float16", 64 * GIB, None),
                ("the embedded model, memory not known", "shapes", None, None, None),
                ("not known", "a/b", None, 64 * GIB, None),
                ("memory not known", FLUX, None, None, None),
                ("FLUX, 64 GiB", FLUX, None, 64 * GIB, None),
                ("FLUX in float32, 64 GiB", FLUX, "float32", 64 * GIB, None),
                ("FLUX, 36 GiB", FLUX, "bfloat16", 36 * GIB, None),
                ("FLUX, 36 GiB by Metal", FLUX, "bfloat16", 48 * GIB, 24 * GIB),
            )
        }
        | {
            "FLUX, 16 GiB, Linux": with_(
                small, model_files=files(ModelState.ABSENT, FLUX), system=System(kernel="Linux")
            ),
        },
    }


def _agent() -> dict[str, Rows]:
    def agent(**values: object) -> Facts:
        return with_(agent=msgspec.convert({"installed": True, **values}, Agent))

    def job(**values: object) -> Facts:
        return agent(job=msgspec.convert(values, Job))

    def silent(seconds: float | None) -> Facts:
        running = Job(state="running", pid=5)
        return with_(agent=Agent(installed=True, job=running, silent_seconds=seconds))

    def sees(
        here: Mapping[str, str | None] | None = None,
        there: Mapping[str, str | None] | None = None,
        *,
        mps: bool | None = True,
        mps_here: bool | None = True,
        denied: Mapping[str, str] | None = None,
        hot_folder: HotFolder | None = None,
    ) -> Facts:
        context = Context(
            program="/opt/python3.12",
            mps_available=mps,
            folder=None if denied is None else dict(denied),
            variables=dict(there or {}),
        )
        return with_(
            agent=Agent(installed=True, context=context),
            environment=None if here is None else Environment(variables=dict(here)),
            torch__mps_available=mps_here,
            hot_folder=hot_folder,
        )

    absent = {
        "not examined": BASE,
        "not installed": with_(agent=Agent(installed=False)),
        "nothing known": agent(),
    }
    no_job = absent | {"no state": job()}
    usable, locked = HotFolder(folder=folder()), HotFolder(folder=folder(usable=False))
    both = {"list": "EPERM", "read": "EACCES"}
    return {
        "MPS701": absent
        | {
            " ".join(changes) or "up to date": agent(changes=changes)
            for changes in (
                (),
                ("EnvironmentVariables.HF_HOME",),
                ("EnvironmentVariables.HF_HOME", "ProgramArguments"),
                ("mpsdoctor 0.1, now 0.2",),
            )
        },
        "MPS702": absent
        | {
            f"exists: {exists}": agent(interpreter="/env/bin/python", interpreter_exists=exists)
            for exists in (True, False)
        },
        "MPS703": absent | {f"loaded: {loaded}": agent(loaded=loaded) for loaded in (True, False)},
        "MPS704": no_job
        | {f"silent for {seconds} s": silent(seconds) for seconds in (None, 0.0, 59.9, 60.0, 90.4)}
        | {
            "no process": job(state="spawn scheduled"),
            "no process, pended": job(state="not running", pended="inefficient"),
            "pid 0": job(state="running", pid=0),
        },
        "MPS705": no_job
        | {
            f"spawn type {kind}": job(spawn_type=kind)
            for kind in ("interactive", "daemon", "background")
        },
        "MPS706": no_job | {f"{runs} runs": job(runs=runs) for runs in (1, 3, 4)},
        "MPS707": no_job
        | {
            name: job(state="running", **values)
            for name, values in (
                ("first run", {}),
                ("exit code 0", {"last_exit_code": 0}),
                ("exit code 1", {"last_exit_code": 1}),
                ("SIGTERM", {"last_signal": "Terminated: 15"}),
                ("SIGTERM, with a code", {"last_signal": "Terminated: 15", "last_exit_code": 1}),
                ("SIGKILL", {"last_signal": "Killed: 9", "last_exit_code": 1}),
                (
                    "signing",
                    {"last_exit_reason": "OS_REASON_CODESIGNING", "last_exit_code": 78},
                ),
            )
        },
        "MPS708": absent
        | {
            name: agent(log_bytes=size)
            for name, size in (("below 50 MB", 50 * MB - 1), ("50 MB", 50 * MB), ("none", 0))
        },
        "MPS709": absent
        | {f"disabled: {disabled}": agent(disabled=disabled) for disabled in (True, False)},
        "MPS710": absent
        | {
            "the same": sees({"HF_HOME": "/hf"}, {"HF_HOME": "/hf"}, denied={}),
            "variables here not known": sees(None, {"HF_HOME": "/hf"}),
            "variables here not known, no mps": sees(None, mps=False),
            "no mps there": sees({}, mps=False),
            "no mps there, not known here": sees({}, mps=False, mps_here=None),
            "no mps here or there": sees({}, mps=False, mps_here=False),
            "mps there not known": sees({}, mps=None),
            "torch not asked here": with_(sees({}, mps=False), torch=None),
            "folder not asked": sees({}),
            "folder denied": sees({}, denied=both, hot_folder=usable),
            "folder denied, not examined here": sees({}, denied=both),
            "folder denied here too": sees({}, denied=both, hot_folder=locked),
            "a variable not set there": sees({"HF_HOME": "/hf"}),
            "a variable not told there": sees({"HF_HOME": "/hf"}, {"HF_HOME": None}),
            "another value there": sees({"HF_HOME": "/hf"}, {"HF_HOME": "/old", "XDG": "/x"}),
            "not compared": sees(
                {
                    "HF_TOKEN": None,
                    "HF_HUB_OFFLINE": "0",
                    "TRANSFORMERS_OFFLINE": "0",
                    "TRANSFORMERS_CACHE": "/t",
                }
            ),
            "everything": sees(
                {"HF_HOME": "/hf", "MTL_X": "1"},
                {"HF_HOME": "/old"},
                mps=False,
                denied=both,
                hot_folder=usable,
            ),
        },
    }


def _profile() -> dict[str, Rows]:
    def profile(facts: Facts, *pinned: str, **settings: str) -> Facts:
        named = {
            ENVIRONMENT + name if name in (HIGH, LOW) else name: value
            for name, value in settings.items()
        }
        marked = tuple(ENVIRONMENT + name if name in (HIGH, LOW) else name for name in pinned)
        return with_(facts, profile=ProfileFile(path="/p.toml", settings=named, pinned=marked))

    unread = {"not read": BASE}
    problem = ProfileFile(path="/p", problem="It is not TOML.", hint="Fix it.")
    old, new = with_(torch__version="2.13.0"), with_(torch__version="2.14.1")
    no_mps, not_asked = with_(torch__mps_available=False), with_(torch=None)
    sliced = {"device": "mps", "attention": "sliced"}
    tried = {"canaries": all_but()}
    nan = {"canaries": all_but(canary("baddbmm-beta-zero"))}
    ratios = {"device": "mps", HIGH: "0.7", LOW: "0.8"}
    return {
        "MPS801": unread
        | {
            "valid": with_(profile=ProfileFile(path="/p")),
            "not valid": with_(profile=problem),
            "not valid, can be fixed": with_(profile=replace(problem, fixable=True)),
        },
        "MPS802": unread
        | {
            "no settings": profile(BASE),
            "device by hand": profile(BASE, "device", device="mps"),
            "device by hand, no mps": profile(no_mps, "device", device="mps"),
            "device tuned, no mps": profile(no_mps, device="mps"),
            "device cpu by hand, no mps": profile(no_mps, "device", device="cpu"),
            "device by hand, torch not asked": profile(not_asked, "device", device="mps"),
            "device tuned, torch not asked": profile(not_asked, device="mps"),
            "attention by hand, before 2.14": profile(old, "attention", **sliced),
            "attention tuned, before 2.14": profile(old, **sliced),
            "attention by hand, no mps": profile(no_mps, "attention", **sliced),
            "attention by hand, 2.14, not tested": profile(new, "attention", **sliced),
            "attention by hand, 2.14, right": profile(with_(new, **tried), "attention", **sliced),
            "attention by hand, 2.14, NaN": profile(with_(new, **nan), "attention", **sliced),
            "native attention by hand": profile(old, "attention", device="mps", attention="native"),
            "attention by hand, torch not known": profile(
                with_(torch__version=None), "attention", **sliced
            ),
            "high ratio by hand": profile(BASE, HIGH, **ratios),
            "both ratios by hand": profile(BASE, HIGH, LOW, **ratios),
            "ratios tuned": profile(BASE, **ratios),
            "good ratios by hand": profile(
                BASE, HIGH, LOW, device="mps", **{HIGH: "1.0", LOW: "0.8"}
            ),
            "ratios by hand, device cpu": profile(BASE, HIGH, **ratios | {"device": "cpu"}),
            "high ratio that is not a number": profile(BASE, HIGH, device="mps", **{HIGH: "0,8"}),
            "ratios and attention by hand": profile(old, "attention", HIGH, LOW, **ratios | sliced),
        },
    }
