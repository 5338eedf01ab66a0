"""MPS6xx: Diffusers and what it needs."""

from mpsdoctor.checks.model import Finding, NoAnswerError, Remedy, Severity
from mpsdoctor.checks.remedies import pip_line
from mpsdoctor.facts.model import Facts


def diffusers(facts: Facts) -> Finding | None:
    """Pictures are made by a Diffusers pipeline."""
    return _missing(facts, "diffusers", "Diffusers", "Nothing can render.")


def transformers(facts: Facts) -> Finding | None:
    """The text encoders of Stable Diffusion and its kin come from Transformers."""
    return _missing(
        facts,
        "transformers",
        "Transformers",
        "Models that read a text prompt, Stable Diffusion among them, cannot be loaded.",
    )


def _missing(facts: Facts, package: str, title: str, impact: str) -> Finding | None:
    if facts.packages is None:
        raise NoAnswerError("which packages are installed is not known")
    if package in facts.packages:
        return None
    return Finding(
        severity=Severity.ERROR,
        observed=f"{title} is not installed in this Python.",
        expected=title,
        impact=impact,
        remedy=Remedy(text=f"Install {title}:", commands=(pip_line(facts, package),)),
    )
