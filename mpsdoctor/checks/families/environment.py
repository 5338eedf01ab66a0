"""MPS306 to MPS309, and MPS311: the environment variables that PyTorch reads.

Nothing here decides whether a machine can render: where its variables were not recorded, that is
not recorded.
"""

from collections.abc import Mapping

from mpsdoctor.checks.report import Finding, NoAnswerError, Remedy, Severity, Status
from mpsdoctor.facts.records import Environment, Facts
from mpsdoctor.knowledge import variables
from mpsdoctor.knowledge.variables import HIGH, LOW, is_ratio, ratio

_OFF = frozenset({"", "0", "0.0", "00", "false", "f", "no", "n", "none", "off", "disabled"})


def names(facts: Facts) -> Finding | None:
    """PyTorch ignores a variable that it does not know, without a word."""
    known = variables.known()
    ours = [name for name in _values(facts) if name.startswith("PYTORCH_") and "MPS" in name]
    unknown = [name for name in ours if name not in known]
    if not unknown:
        return None
    meant = {name: variables.meant_by(name) for name in unknown}
    suggestions = [f"{n}: did you mean {' or '.join(m)}?" for n, m in meant.items() if m]
    return Finding(
        severity=Severity.WARNING if suggestions else Severity.NOTE,
        observed=f"PyTorch knows no variable {_listed(unknown)}.",
        expected="names that PyTorch reads, such as " + " and ".join((HIGH, LOW)),
        impact="PyTorch ignores it without a word: what it was to change stays as it is.",
        remedy=Remedy(
            text=" ".join(("Remove it where it is set, or set the right one.", *suggestions)),
            commands=(f"unset {' '.join(unknown)}",),
        ),
    )


def watermark(facts: Facts) -> Finding | None:
    """PyTorch refuses a low ratio above the high one, also its own of 1.4 (pytorch #96814)."""
    values, rule = _ratios(facts), variables.load().watermark
    if not values:
        return None
    high = ratio(values[HIGH]) if HIGH in values else rule.high
    low = ratio(values[LOW]) if LOW in values else rule.low
    most_low = high or rule.most
    if 0 <= high <= rule.most and 0 <= low <= most_low:
        return _misread(values)
    fault = "high" if not 0 <= high <= rule.most else "low"
    own = "" if LOW in values else f" ({LOW} is not set, which means {rule.low:g})"
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
    """To PyTorch every text but `0` means on, and to one variable even that."""
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
        observed=f"{_shown(_values(facts), *on)}: PyTorch takes that for on.",
        expected="1 for on, and no such variable for off",
        impact=f"What was meant to be off is on. {effects}.",
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
        impact="PyTorch may have read them before, and then never sees the change.",
        remedy=Remedy(
            text="Set them at the top of the program, before import torch and everything that "
            "imports it; load_profile().activate() there sets the profile's. In a notebook, "
            "restart the kernel first."
        ),
    )


def overriding(facts: Facts) -> Finding | None:
    """`Profile.activate` leaves what the user has set; launchd knows nothing of a shell."""
    values = _values(facts)
    fallback = ("PYTORCH_ENABLE_MPS_FALLBACK", "1")  # so does every profile
    found = [n for n in variables.known() if n in values and (n, values[n]) != fallback]
    if not found:
        return None
    effects = "; ".join(f"{name}: {variables.known()[name].effect}" for name in found)
    return Finding(
        severity=Severity.NOTE,
        observed=_shown(values, *found),
        expected="variables from the profile alone",
        impact="Here these outweigh the profile; a daemon that launchd starts does not have them, "
        f"so that it can render differently. {effects}.",
        remedy=Remedy(
            text="Remove them, or write them into the profile as environment.NAME, which "
            "holds everywhere:",
            commands=(f"unset {' '.join(found)}",),
        ),
    )


def _ratios(facts: Facts) -> dict[str, str]:
    values = _values(facts)
    found = {name: values[name] for name in (HIGH, LOW) if name in values}
    if None in found.values():
        raise NoAnswerError("what the ratios are set to is not known", Status.NOT_RECORDED)
    return {name: value for name, value in found.items() if value is not None}


def _misread(values: Mapping[str, str]) -> Finding | None:
    """PyTorch takes any text for a number, `0,8` for 0."""
    misread = [name for name, value in values.items() if not is_ratio(value)]
    if not misread:
        return None
    read = ", ".join(f"{name} for {ratio(values[name]):g}" for name in misread)
    return Finding(
        severity=Severity.WARNING,
        observed=f"{_shown(values, *misread)}: PyTorch takes {read}.",
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
