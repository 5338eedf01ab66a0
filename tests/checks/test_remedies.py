"""The lines to copy that several checks share."""

import pytest

from mpsdoctor.checks.remedies import install_torch
from mpsdoctor.facts.model import Facts, Python, System


@pytest.mark.parametrize(
    ("macos", "python", "torch", "needed"),
    [
        ("12.7.6", "3.11.9", "2.4.1", "macOS 13.0 or newer"),
        ("12.7.6", "3.13.1", "2.4.1", "macOS 13.0 or newer"),
        ("14.7.4", "3.8.20", "2.4.1", "Python 3.12"),
        ("13.7.4", "3.11.9", "2.8.0", None),
        ("14.7.4", "3.12.8", "2.14.1", None),
    ],
)
def test_a_torch_too_old_for_the_render_extra_is_named_with_what_a_newer_needs(
    macos: str, python: str, torch: str, needed: str | None
) -> None:
    """It runs, so it is offered; whoever wants mpsdoctor to render learns what else to change."""
    system = System(kernel="Darwin", macos_version=macos)
    text = install_torch(Facts(system=system, python=Python(version=python))).text
    assert f"PyTorch {torch}" in text
    reservation = f"mpsdoctor itself renders with PyTorch 2.6 or newer, which needs {needed}"
    assert (needed is not None) == (reservation in text)
    assert (needed is not None) == ("mpsdoctor itself" in text)
