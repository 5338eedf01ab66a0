"""MPS4xx: memory, which macOS, every program and the GPU share."""

from mpsdoctor.checks.report import Finding, NoAnswerError, Remedy, Severity, Status
from mpsdoctor.facts.records import Facts, Pressure
from mpsdoctor.knowledge import floors, variables
from mpsdoctor.knowledge.gpu_limit import Source, gpu_limit, usual_working_set
from mpsdoctor.knowledge.variables import HIGH, LOW
from mpsdoctor.units import GIB, gib, whole_gib

_RESTORE = "sudo sysctl iogpu.wired_limit_mb=0"
_FREE = (
    "Quit other programs, those with the most memory first (Activity Monitor, Memory), and "
    "restart the Mac if it does not recover."
)
# An M1 with 8 GB renders Stable Diffusion 1.5 at 512×512 in float16 (rupeshs/fastsdcpu #1);
# Stable Diffusion XL does not fit beside macOS there (lllyasviel/Fooocus #1341).
_COMFORTABLE_GIB = 16
# Below this part of the usual amount, somebody has lowered it; newer Macs only ever give more.
_USUAL = 0.9
# What a full GPU should leave for macOS and other programs. Wiring more made 16 GB Macs freeze and
# restart; the fix there keeps at least 8 GB free (osaurus-ai/vmlx-swift #421).
_LEAVE_GIB = 8
# Healthy Macs use some swap too: 1.8 GB with 24 GB of memory (eneskirca/nodeterm #135). A Mac that
# read its model from swap at every step used 29 GB with 64 GB (tgo-app-dev/vpipe #4).
_MUCH_SWAP = 0.25


def ram(facts: Facts) -> Finding | None:
    """Below 64 GB Diffusers' page on mps recommends attention slicing against swapping."""
    guide = floors.load().guide
    if facts.hardware.ram_bytes is None:
        return Finding(
            severity=Severity.NOTE,
            observed="The memory size of this Mac is not known.",
            expected="a known size, from which the profile chooses its settings",
            impact="The profile uses settings for a Mac with little memory.",
            remedy=Remedy(
                text="See what this prints, in bytes:",
                commands=("/usr/sbin/sysctl -n hw.memsize",),
            ),
        )
    ram = facts.hardware.ram_bytes
    if ram >= guide.ram_gib_recommended * GIB:
        return None
    if ram >= _COMFORTABLE_GIB * GIB:
        return Finding(
            severity=Severity.NOTE,
            observed=f"{whole_gib(ram)} of memory",
            expected=f"{guide.ram_gib_recommended} GiB to render without saving memory",
            impact="For pictures larger than 512×512, attention can fill the memory. The Mac then "
            "swaps and slows down many times over.",
            remedy=Remedy(
                text="Nothing to do: the profile takes care of it, also in your own code (from "
                "mpsdoctor import load_profile)."
            ),
        )
    return Finding(
        severity=Severity.WARNING,
        observed=f"{whole_gib(ram)} of memory",
        expected=f"{_COMFORTABLE_GIB} GiB or more",
        impact="Stable Diffusion 1.5 renders at 512×512. Larger pictures can make the Mac swap, "
        "because macOS and other programs need their share. Larger models, such as SDXL, do not "
        "fit.",
        remedy=Remedy(
            text="Close other programs while rendering, and use small models. The largest size "
            "that is forecast to fit is largest_side in the profile. It does not count other "
            "programs; `mpsdoctor plan MODEL` does. The profile keeps PyTorch from taking more "
            "memory than the Mac has."
        ),
    )


def working_set(facts: Facts) -> Finding | None:
    """macOS gives the GPU a large part of the memory, unless somebody has set less."""
    ram, limit = facts.hardware.ram_bytes, gpu_limit(facts)
    is_known = limit.source in (Source.METAL, Source.WIRED_LIMIT)
    if not is_known and facts.memory.wired_limit_bytes == 0:
        return None
    if not is_known or limit.size_bytes is None or not ram:
        raise NoAnswerError("how much memory the GPU may hold is not known", Status.NOT_RECORDED)
    if limit.size_bytes >= _USUAL * usual_working_set(ram):
        return None
    cause = ": somebody has set iogpu.wired_limit_mb" if facts.memory.wired_limit_bytes else ""
    return Finding(
        severity=Severity.WARNING,
        observed=f"The GPU may hold {gib(limit.size_bytes)} of {whole_gib(ram)}{cause}.",
        expected=f"about {whole_gib(usual_working_set(ram))} (estimated)",
        impact="Models and pictures that fit into this Mac run out of memory or swap.",
        remedy=Remedy(
            text="Let macOS decide again, until the next restart. If the limit returns then, look "
            "for it in /etc/sysctl.conf and in /Library/LaunchDaemons.",
            commands=(_RESTORE,),
        ),
    )


def wired_limit(facts: Facts) -> Finding | None:
    """A raised limit lets the GPU take memory that macOS needs and cannot get back."""
    ram, wired = facts.hardware.ram_bytes, facts.memory.wired_limit_bytes
    limit = gpu_limit(facts).size_bytes
    if wired == 0:
        return None
    if wired is None or limit is None or not ram:
        raise NoAnswerError("whether the wired limit was raised is not known", Status.NOT_RECORDED)
    left = max(0, ram - limit)
    if limit <= usual_working_set(ram) or left >= _LEAVE_GIB * GIB:
        return None
    return Finding(
        severity=Severity.WARNING,
        observed=f"The GPU may hold {gib(limit)} of {whole_gib(ram)}: somebody has "
        "raised iogpu.wired_limit_mb.",
        expected=f"at least {_LEAVE_GIB} GiB left for macOS and other programs",
        impact=f"If a model takes all it may, {gib(left)} are left, and the Mac can freeze or "
        "restart.",
        remedy=Remedy(
            text="Let macOS decide again, unless this Mac only renders:",
            commands=(_RESTORE,),
        ),
    )


def pressure(facts: Facts) -> Finding | None:
    """The kernel's own judgement, because free memory and swap say little on a Mac.

    (xymon-monitoring/xymon #242, eneskirca/nodeterm #135)
    """
    level = facts.memory.pressure
    if level is None:
        raise NoAnswerError("the memory pressure is not known", Status.NOT_RECORDED)
    if level not in (Pressure.WARNING, Pressure.CRITICAL):
        return None
    critical = level is Pressure.CRITICAL
    return Finding(
        severity=Severity.WARNING,
        observed=f"Memory pressure is {'critical (red)' if critical else 'raised (yellow)'}.",
        expected="normal pressure (green in Activity Monitor) before a model is loaded",
        impact="macOS is ending programs to free memory, and can end the one that renders."
        if critical
        else "Memory is already short: loading a model makes the Mac swap, and pictures take many "
        "times as long.",
        remedy=Remedy(text=_FREE),
    )


def swap(facts: Facts) -> Finding | None:
    """Much swap in use means that programs want more memory than this Mac has."""
    ram, used = facts.hardware.ram_bytes, facts.memory.swap_used_bytes
    if used == 0:
        return None
    if used is None or not ram:
        raise NoAnswerError("how much memory and swap are in use is not known", Status.NOT_RECORDED)
    if used < _MUCH_SWAP * ram:
        return None
    return Finding(
        severity=Severity.NOTE,
        observed=f"{gib(used)} of swap are in use, with {whole_gib(ram)} of memory.",
        expected=f"less than {whole_gib(_MUCH_SWAP * ram)}",
        impact="Data in swap is read from the disk when it is used again. A model that is partly "
        "in swap renders many times slower.",
        remedy=Remedy(text=_FREE),
    )


def watermark(facts: Facts) -> Finding | None:
    """PyTorch's default limit exceeds the memory of every Mac, so that it never stops in time.

    It is a multiple of what Metal recommends. A multiple that PyTorch rejects, and 0 for no limit,
    are about the variable, not about this Mac.
    """
    ram = facts.hardware.ram_bytes
    if not ram:
        raise NoAnswerError("the memory size of this Mac is not known", Status.NOT_RECORDED)
    # From this size on the guide expects pictures to fit.
    if ram >= floors.load().guide.ram_gib_recommended * GIB:
        return None
    said = (facts.environment.variables if facts.environment else {}).get(HIGH)
    limit = _ratio(said) * (gpu_limit(facts).size_bytes or 0)
    if limit <= ram and facts.environment is None:
        raise NoAnswerError("which variables are set is not known", Status.NOT_RECORDED)
    if limit <= ram:
        return None
    return Finding(
        severity=Severity.NOTE,
        observed=f"PyTorch may take about {whole_gib(limit)} of {whole_gib(ram)} "
        f"({f'{HIGH}={said}' if said else 'its default'}).",
        expected="a limit below the memory of this Mac",
        impact="If a picture is too large, there is no error: the Mac swaps until it hardly "
        "responds.",
        remedy=Remedy(
            text="Nothing to do for mpsdoctor, whose profile sets both limits. In your own code, "
            "call load_profile().activate() before importing torch. Or type, for one session:",
            commands=(f"export {HIGH}=1.0 {LOW}=0.8",),
        ),
    )


def _ratio(text: str | None) -> float:
    """The ratio in force; 0 for one that PyTorch rejects."""
    if text is None:
        return variables.load().watermark.high
    ratio = variables.ratio(text)
    return ratio if 0 <= ratio <= variables.load().watermark.most else 0
