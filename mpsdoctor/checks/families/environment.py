"""MPS306 to MPS309, and MPS311: the environment variables that PyTorch reads.

None of these decides whether a machine can render: if its variables were not recorded, the checks
are not recorded.
"""

from collections.abc import Mapping

from mpsdoctor.checks.report import Finding, NoAnswerError, Remedy, Severity, Status
from mpsdoctor.facts.records import Environment, Facts
from mpsdoctor.knowledge import variables
from mpsdoctor.knowledge.variables import HIGH, LOW, is_ratio, ratio

_OFF = frozenset({"", "0", "0.0", "00", "false", "f", "no", "n", "none", "off", "disabled"})


def names(facts: Facts) -> Finding | None:
    """PyTorch silently ignores a variable that it does not know."""
    known = variables.known()
    ours = [name for name in _values(facts) if name.startswith("PYTORCH_") and "MPS" in name]
    unknown = [name for name in ours if name not in known]
    if not unknown:
        return None
    meant = {name: variables.meant_by(name) for name in unknown}
    suggestions = [f"{n}: did you mean {' or '.join(m)}?" for n, m in meant.items() if m]
    return Finding(
        severity=Severity.WARNING if suggestions else Severity.NOTE,
        observed=f"PyTorch does not know: {_listed(unknown)}.",
        expected="names that PyTorch reads, such as " + " and ".join((HIGH, LOW)),
        impact="PyTorch silently ignores it, and nothing changes.",
        remedy=Remedy(
            text=" ".join(("Remove it where it is set, or set the right one.", *suggestions)),
            commands=(f"unset {' '.join(unknown)}",),
        ),
    )


def watermark(facts: Facts) -> Finding | None:
    """PyTorch rejects a low ratio above the high one, even its default of 1.4 (pytorch #96814)."""
    values, rule = _ratios(facts), variables.load().watermark
    if not values:
        return None
    high = ratio(values[HIGH]) if HIGH in values else rule.high
    low = ratio(values[LOW]) if LOW in values else rule.low
    most_low = high or rule.most
    if 0 <= high <= rule.most and 0 <= low <= most_low:
        return _misread(values)
    fault = "high" if not 0 <= high <= rule.most else "low"
    own = "" if LOW in values else f" ({LOW} is not set, so it is {rule.low:g})"
    return Finding(
        severity=Severity.ERROR,
        observed=f"{_shown(values, HIGH, LOW)}{own}",
        expected=f"a high ratio from 0 to {rule.most:g}, and a low ratio that does not exceed it",
        impact="PyTorch fails when mps is first used: RuntimeError: invalid "
        f"{fault} watermark ratio.",
        remedy=Remedy(
            text="Leave both to the profile, or set both:",
            commands=(f"unset {HIGH} {LOW}", f"export {HIGH}=1.0 {LOW}=0.8"),
        ),
    )


def switches(facts: Facts) -> Finding | None:
    """PyTorch reads every text except `0` as on, and for one variable even that."""
    on = {
        name: variable
        for name, variable in variables.known().items()
        if (value := _values(facts).get(name)) is not None and _is_on_by_mistake(variable, value)
    }
    if not on:
        return None
    effects = "; ".join(f"{name}: {variable.effect}" for name, variable in on.items())
    return Finding(
        severity=Severity.WARNING,
        observed=f"{_shown(_values(facts), *on)}: PyTorch reads this as on.",
        expected="1 for on, or no such variable for off",
        impact=f"It was meant to be off, but is on. {effects}.",
        remedy=Remedy(text="Remove it where it is set:", commands=(f"unset {' '.join(on)}",)),
    )


def set_in_time(facts: Facts) -> Finding | None:
    """The fallback is read while libtorch loads, the ratios when mps is first used."""
    late = _environment(facts).set_late
    if not late:
        return None
    return Finding(
        severity=Severity.WARNING,
        observed=f"{_listed(late)} changed after Python started, and PyTorch is already loaded.",
        expected="variables that are set before PyTorch is imported",
        impact="PyTorch may have read the old value already, and then never sees the change.",
        remedy=Remedy(
            text="Set them at the top of the program, before import torch and everything that "
            "imports it. There, load_profile().activate() sets the profile's. In a notebook, "
            "restart the kernel first."
        ),
    )


def overriding(facts: Facts) -> Finding | None:
    """`Profile.activate` keeps what the user has set; launchd does not know a shell's variables."""
    values = _values(facts)
    fallback = ("PYTORCH_ENABLE_MPS_FALLBACK", "1")  # so does every profile
    found = [n for n in variables.known() if n in values and (n, values[n]) != fallback]
    if not found:
        return None
    effects = "; ".join(f"{name}: {variables.known()[name].effect}" for name in found)
    return Finding(
        severity=Severity.NOTE,
        observed=_shown(values, *found),
        expected="variables only from the profile",
        impact="Here they override the profile. A daemon that launchd starts does not have them, "
        f"and can render differently. {effects}.",
        remedy=Remedy(
            text="Remove them, or write them into the profile as environment.NAME, which applies "
            "everywhere:",
            commands=(f"unset {' '.join(found)}",),
        ),
    )


def _ratios(facts: Facts) -> dict[str, str]:
    values = _values(facts)
    found = {name: values[name] for name in (HIGH, LOW) if name in values}
    if None in found.values():
        raise NoAnswerError("the values of the ratios are not known", Status.NOT_RECORDED)
    return {name: value for name, value in found.items() if value is not None}


def _misread(values: Mapping[str, str]) -> Finding | None:
    """PyTorch reads any text as a number, and `0,8` as 0."""
    misread = [name for name, value in values.items() if not is_ratio(value)]
    if not misread:
        return None
    read = ", ".join(f"{name} as {ratio(values[name]):g}" for name in misread)
    return Finding(
        severity=Severity.WARNING,
        observed=f"{_shown(values, *misread)}: PyTorch reads {read}.",
        expected="numbers with a point, such as 0.8",
        impact="A ratio of 0 means no limit: PyTorch takes memory until macOS swaps or freezes.",
        remedy=Remedy(text="Leave both to the profile:", commands=(f"unset {HIGH} {LOW}",)),
    )


def _is_on_by_mistake(variable: variables.Variable, value: str) -> bool:
    if variable.kind == "presence":
        return value.strip().lower() in _OFF
    return variable.kind == "switch" and value != "0" and value.strip().lower() in _OFF


def _environment(facts: Facts) -> Environment:
    if facts.environment is None:
        raise NoAnswerError("which variables are set is not known", Status.NOT_RECORDED)
    return facts.environment


def _values(facts: Facts) -> dict[str, str | None]:
    return _environment(facts).variables


def _shown(values: Mapping[str, str | None], *wanted: str) -> str:
    return ", ".join(f"{name}={values[name]}" for name in wanted if name in values)


def _listed(found: tuple[str, ...] | list[str]) -> str:
    return ", ".join(found)
