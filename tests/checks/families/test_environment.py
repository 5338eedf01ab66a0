"""MPS306 to MPS309, and MPS311: PyTorch's environment variables."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.checks.report import Finding, NoAnswerError, Severity
from mpsdoctor.facts.records import Environment, Facts
from mpsdoctor.knowledge import variables
from mpsdoctor.knowledge.variables import HIGH, LOW
from tests.support.machines import MACHINES

BY_ID = {check.id: check for check in CHECKS}
FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK"
MAC = msgspec.json.decode(
    (MACHINES / "m2-pro-macos-14.7.4-torch-2.6.0.json").read_text(),
    type=Facts,
)


def examine(
    check: str, values: dict[str, str] | None = None, late: tuple[str, ...] = ()
) -> Finding | None:
    """The check's finding on a Mac with these variables."""
    environment = Environment(variables=dict(values or {}), set_late=late)
    return BY_ID[check].examine(replace(MAC, environment=environment))


@pytest.mark.parametrize("check", ["MPS306", "MPS307", "MPS308", "MPS309", "MPS311"])
def test_without_variables_there_is_nothing_to_find(check: str) -> None:
    """No variables, and the profile's own, are in order; unknown ones are not recorded."""
    assert examine(check) is None
    assert examine(check, {FALLBACK: "1", "HF_HOME": "/m", "PYTORCH_ALLOC_CONF": "x"}) is None
    with pytest.raises(NoAnswerError, match="not known"):
        BY_ID[check].examine(MAC)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PYTORCH_MPS_WATERMARK_RATIO", (HIGH, LOW)),
        ("PYTORCH_MPS_HIGH_WATERMARK", (HIGH,)),
        ("PYTORCH_MPS_ENABLE_FALLBACK", (FALLBACK,)),
        ("PYTORCH_ENABLE_MPS_FALL_BACK", (FALLBACK,)),
        ("PYTORCH_MPS_FASTMATH", ("PYTORCH_MPS_FAST_MATH",)),
    ],
)
def test_a_misspelt_name_is_told_with_the_right_one(name: str, meant: tuple[str, ...]) -> None:
    """A misspelled name gets a suggestion."""
    finding = examine("MPS306", {name: "0.5"})
    assert finding is not None
    assert finding.severity is Severity.WARNING
    assert all(right in finding.remedy.text for right in meant)
    assert finding.remedy.commands == (f"unset {name}",)


def test_a_name_like_no_other_is_a_note() -> None:
    """A name like no other is a note: a newer PyTorch may read it."""
    finding = examine("MPS306", {"PYTORCH_MPS_XYZZY": "1"})
    assert finding is not None
    assert finding.severity is Severity.NOTE


@pytest.mark.parametrize(
    ("high", "low", "severity"),
    [
        ("1.0", "0.8", None),
        ("0.0", None, None),
        ("0.0", "1.9", None),
        ("1.4", None, None),
        ("2", "2", None),
        (None, "1.7", None),
        (" 1.0 ", "0.8", None),
        ("1.0", None, Severity.ERROR),
        ("2.1", None, Severity.ERROR),
        ("-1", None, Severity.ERROR),
        ("0.5", "0.8", Severity.ERROR),
        (None, "1.8", Severity.ERROR),
        ("0.0", "2.1", Severity.ERROR),
        ("1.0", "-0.1", Severity.ERROR),
        ("0,8", None, Severity.WARNING),
        ("80%", "0.7", Severity.ERROR),
        ("", None, Severity.WARNING),
        ("none", None, Severity.WARNING),
        ("1.5GB", None, Severity.WARNING),
    ],
)
def test_ratios_that_pytorch_refuses_are_errors(
    high: str | None, low: str | None, severity: Severity | None
) -> None:
    """The bounds and the parsing are those of PyTorch's allocator."""
    values = {name: value for name, value in ((HIGH, high), (LOW, low)) if value is not None}
    finding = examine("MPS307", values)
    assert severity is (finding.severity if finding else None)


def test_the_missing_half_of_the_pair_is_named() -> None:
    """If only one ratio is set, the finding gives the other's default."""
    finding = examine("MPS307", {HIGH: "1.0"})
    assert finding is not None
    assert f"{LOW} is not set, so it is 1.4" in finding.observed
    assert "invalid low watermark ratio" in finding.impact


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        (FALLBACK, "false", True),
        (FALLBACK, "OFF", True),
        (FALLBACK, "", True),
        (FALLBACK, "0", False),
        (FALLBACK, "true", False),
        ("PYTORCH_MPS_FAST_MATH", "no", True),
        ("PYTORCH_MPS_PREFER_METAL", "0", True),
        ("PYTORCH_MPS_PREFER_METAL", "1", False),
        (HIGH, "0", False),
        ("PYTORCH_DEBUG_MPS_ALLOCATOR", "0", False),
    ],
)
def test_a_switch_that_was_meant_to_be_off_is_on(name: str, value: str, found: bool) -> None:
    """Only 0 is off, and for one variable not even that."""
    finding = examine("MPS308", {name: value})
    assert found is (finding is not None)
    assert finding is None or finding.severity is Severity.WARNING


def test_variables_that_came_after_torch_are_told() -> None:
    """The finding names the variables, and says where to set them."""
    finding = examine("MPS309", late=(FALLBACK,))
    assert finding is not None
    assert FALLBACK in finding.observed
    assert "before import torch" in finding.remedy.text


def test_variables_that_outweigh_the_profile_are_a_note() -> None:
    """Each variable has its effect; the profile's own fallback does not count."""
    finding = examine("MPS311", {HIGH: "1.2", FALLBACK: "1", "HF_HOME": "/m"})
    assert finding is not None
    assert (finding.severity, finding.observed) == (Severity.NOTE, f"{HIGH}=1.2")
    assert variables.known()[HIGH].effect in finding.impact
    assert examine("MPS311", {FALLBACK: "0"}) is not None


@given(
    check=st.sampled_from(["MPS306", "MPS307", "MPS308", "MPS311"]),
    values=st.dictionaries(
        st.sampled_from([*variables.known(), "PYTORCH_MPS_", "PYTORCH_MPS"]), st.none() | st.text()
    ),
)
def test_any_value_gives_an_answer(check: str, values: dict[str, str | None]) -> None:
    """Any value gets an answer, except a ratio that was not recorded."""
    facts = replace(MAC, environment=Environment(variables=values))
    try:
        BY_ID[check].examine(facts)
    except NoAnswerError:
        assert check == "MPS307"
        assert None in (values.get(HIGH, ""), values.get(LOW, ""))
