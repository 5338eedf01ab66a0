"""MPS601 to MPS604: Diffusers and what it needs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from mpsdoctor.checks.remedies import install, install_lines, install_torch
from mpsdoctor.checks.report import Finding, NoAnswerError, Remedy, Severity, Status
from mpsdoctor.facts.records import Facts

_OURS = "mpsdoctor[render]"
_PACKAGES_UNKNOWN = "which packages are installed is not known"


def diffusers(facts: Facts) -> Finding | None:
    """Pictures are made by a Diffusers pipeline."""
    return _missing(facts, "diffusers", "Diffusers", "Nothing can render.")


def transformers(facts: Facts) -> Finding | None:
    """The text encoders of Stable Diffusion and similar models come from Transformers."""
    return _missing(
        facts,
        "transformers",
        "Transformers",
        "Models that read a text prompt, Stable Diffusion among them, cannot be loaded.",
    )


@dataclass(frozen=True)
class _Unmet:
    """A requirement of `owner`, or of its extra, that the installed package does not meet."""

    owner: str
    requirement: Requirement
    installed: str | None

    def __str__(self) -> str:
        here = f"{self.installed} is installed" if self.installed else "it is not installed"
        return f"{self.owner} needs {self.requirement}, but {here}"


def compatible(facts: Facts) -> Finding | None:
    """The packages' own metadata says which versions of each other they need.

    Diffusers and Transformers name PyTorch in an extra: another version may work, untested. Users'
    own code can work with older versions than mpsdoctor renders with.
    """
    if facts.packages is None or facts.requirements is None:
        raise NoAnswerError("the packages' requirements are not known", Status.NOT_RECORDED)
    unmet = tuple(_unmet(facts.packages, facts.requirements))
    if not unmet:
        return None
    certain = any("[" not in one.owner for one in unmet)
    ours = [str(one.requirement) for one in unmet if one.owner == _OURS]
    return Finding(
        severity=Severity.ERROR if certain else Severity.WARNING,
        observed=f"{'; '.join(map(str, unmet))}.",
        expected="packages whose versions fit each other",
        impact=" ".join(_impacts(unmet)),
        remedy=_fit(facts, unmet),
        caveat=f"only with your own code: mpsdoctor needs {' and '.join(ours)}" if ours else "",
    )


def accelerate(facts: Facts) -> Finding | None:
    """Without Accelerate, Diffusers sets low_cpu_mem_usage to False (DiffusionPipeline)."""
    if facts.packages is None:
        raise NoAnswerError(_PACKAGES_UNKNOWN, Status.NOT_RECORDED)
    if "accelerate" in facts.packages:
        return None
    return Finding(
        severity=Severity.WARNING,
        observed="Accelerate is not installed in this Python.",
        expected="Accelerate",
        impact="A model is in memory twice while it loads, and loads more slowly.",
        remedy=install(facts, "Accelerate", "accelerate"),
    )


def _impacts(unmet: tuple[_Unmet, ...]) -> Iterator[str]:
    owners = {one.owner for one in unmet}
    if any("[" not in owner for owner in owners):
        yield "Diffusers does not start, or fails while it loads a model."
    elif owners - {_OURS}:
        yield "Diffusers is not made for these versions: it may fail, even in mid-picture."
    if _OURS in owners:
        yield "mpsdoctor does not render with them; your own code can."


def _unmet(
    packages: Mapping[str, str], requirements: Mapping[str, tuple[str, ...]]
) -> Iterator[_Unmet]:
    for owner, texts in requirements.items():
        if owner.partition("[")[0] not in packages:
            continue
        for requirement in _parsed(texts):
            installed = packages.get(requirement.name)
            if installed is None and ("[" in owner or requirement.name == "torch"):
                continue  # other checks ask whether these are there
            if installed is None or not _meets(requirement, installed):
                yield _Unmet(owner, requirement, installed)


def _meets(requirement: Requirement, installed: str) -> bool:
    """An invalid version, which only a damaged package has, is not judged."""
    try:
        return requirement.specifier.contains(Version(installed), prereleases=True)
    except InvalidVersion:
        return True


def _parsed(texts: tuple[str, ...]) -> Iterator[Requirement]:
    for text in texts:
        try:
            yield Requirement(text)
        except InvalidRequirement:
            continue


def _fit(facts: Facts, unmet: tuple[_Unmet, ...]) -> Remedy:
    """pip keeps the named packages, and chooses versions of what they need."""
    others = [one for one in unmet if one.requirement.name != "torch"]
    owners = [one.owner.partition("[")[0] for one in others if one.owner != _OURS]
    extras = [str(one.requirement) for one in others if "[" in one.owner]
    lines = install_lines(facts, *dict.fromkeys((*owners, *extras))) if others else ()
    if all(one.requirement.name != "torch" for one in unmet):
        return Remedy(text="Install versions that fit:", commands=lines)
    torch = install_torch(facts)
    return Remedy(
        text=f"{torch.text} If that is still too old, only a newer macOS or older packages help.",
        commands=tuple(dict.fromkeys((*torch.commands, *lines))),
    )


def _missing(facts: Facts, package: str, title: str, impact: str) -> Finding | None:
    if facts.packages is None:
        raise NoAnswerError(_PACKAGES_UNKNOWN)
    if package in facts.packages:
        return None
    return Finding(
        severity=Severity.ERROR,
        observed=f"{title} is not installed in this Python.",
        expected=title,
        impact=impact,
        remedy=install(facts, title, package),
    )
