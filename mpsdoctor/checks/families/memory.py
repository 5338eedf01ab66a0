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
# Below this part of the usual the GPU's memory has been cut; newer Macs only ever give more.
_USUAL = 0.9
# What a GPU that holds all it may should leave to macOS and other programs. Wiring more made 16 GB
# Macs freeze and restart; the mend there keeps at least 8 GB free (osaurus-ai/vmlx-swift #421).
_LEAVE_GIB = 8
# Healthy Macs keep some swap in use too, as 1.8 beside 24 GB (eneskirca/nodeterm #135); one that
# read its model from there with every step used 29 beside 64 GB (tgo-app-dev/vpipe #4).
_MUCH_SWAP = 0.25


def ram(facts: Facts) -> Finding | None:
    """Below 64 GB Diffusers' page on mps wants attention in slices, lest the Mac swaps."""
    guide = floors.load().guide
    if facts.hardware.ram_bytes is None:
        return Finding(
            severity=Severity.NOTE,
            observed="How much memory this Mac has is not known.",
            expected="a known amount, by which the profile chooses its settings",
            impact="The profile keeps to settings for a Mac with little memory.",
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
            impact="In pictures larger than 512×512 attention can fill the memory; the Mac then "
            "swaps and slows down many times over.",
            remedy=Remedy(
                text="Nothing to do: the profile takes it into account, also in your own code "
                "(from mpsdoctor import load_profile)."
            ),
        )
    return Finding(
        severity=Severity.WARNING,
        observed=f"{whole_gib(ram)} of memory",
        expected=f"{_COMFORTABLE_GIB} GiB or more",
        impact="Stable Diffusion 1.5 renders at 512×512. Larger pictures can make the Mac swap, as "
        "macOS and other programs need their share; larger models, such as SDXL, do not fit.",
        remedy=Remedy(
            text="Close other programs while rendering, and keep to small models. largest_side in "
            "the profile is the largest size that is forecast to fit, other programs not counted; "
            "`mpsdoctor plan MODEL` counts them. The profile keeps PyTorch from taking more memory "
            "than the Mac has."
        ),
    )


def working_set(facts: Facts) -> Finding | None:
    """macOS gives the GPU a large part of the memory, unless somebody has set less."""
    ram, limit = facts.hardware.ram_bytes, gpu_limit(facts)
    is_told = limit.source in (Source.METAL, Source.WIRED_LIMIT)
    if not is_told and facts.memory.wired_limit_bytes == 0:
        return None
    if not is_told or limit.size_bytes is None or not ram:
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
            text="Give the decision back to macOS; it holds until the next restart. If the limit "
            "returns then, look for it in /etc/sysctl.conf and in /Library/LaunchDaemons.",
            commands=(_RESTORE,),
        ),
    )


def wired_limit(facts: Facts) -> Finding | None:
    """A raised limit lets the GPU take memory that macOS needs, and cannot get back."""
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
        impact=f"When a model takes what it may, {gib(left)} are left; the Mac can freeze or "
        "restart.",
        remedy=Remedy(
            text="Give the decision back to macOS, unless this Mac does nothing but render:",
            commands=(_RESTORE,),
        ),
    )


def pressure(facts: Facts) -> Finding | None:
    """The kernel's own judgement, as free memory and swap say little on a Mac.

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
        impact="macOS is ending programs to get memory, and can end the rendering one."
        if critical
        else "Memory is short already: loading a model makes the Mac swap, and pictures take "
        "many times as long.",
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
        observed=f"{gib(used)} of swap are in use beside {whole_gib(ram)} of memory.",
        expected=f"less than {whole_gib(_MUCH_SWAP * ram)}",
        impact="What lies in swap is read from the disk when it is used again; a model that "
        "overflows into it renders many times slower.",
        remedy=Remedy(text=_FREE),
    )


def watermark(facts: Facts) -> Finding | None:
    """PyTorch's own limit lies above the memory of every Mac, so that it never says stop in time.

    It is a multiple of what Metal recommends. A multiple that PyTorch refuses, and 0 for no limit,
    are about the variable and not about this Mac.
    """
    ram = facts.hardware.ram_bytes
    if not ram:
        raise NoAnswerError("how much memory this Mac has is not known", Status.NOT_RECORDED)
    # From there on the guide expects pictures to fit.
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
        impact="Instead of an error when a picture is too large, the Mac swaps until it hardly "
        "moves.",
        remedy=Remedy(
            text="Nothing to do for mpsdoctor, whose profile sets both limits. In your own code "
            "call load_profile().activate() before torch is imported, or type, for one session:",
            commands=(f"export {HIGH}=1.0 {LOW}=0.8",),
        ),
    )


def _ratio(text: str | None) -> float:
    """The ratio in force; 0 for one that PyTorch refuses."""
    if text is None:
        return variables.load().watermark.high
    ratio = variables.ratio(text)
    return ratio if 0 <= ratio <= variables.load().watermark.most else 0
