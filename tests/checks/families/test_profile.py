"""MPS8xx: the profile; and which findings `--fix` can do something about."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.checks.report import Finding, Fix, FixKind, Severity, Status
from mpsdoctor.checks.runner import examine
from mpsdoctor.facts.records import (
    Canary,
    CanaryStatus,
    Facts,
    Folder,
    HotFolder,
    ModelFiles,
    ModelState,
    Place,
    ProfileFile,
)
from mpsdoctor.knowledge.variables import HIGH, LOW
from mpsdoctor.profile.choice import ENVIRONMENT
from mpsdoctor.tuning.needs import Denoiser, Needs
from mpsdoctor.tuning.rules import tune
from tests.support.machines import MACHINES

BY_ID = {check.id: check for check in CHECKS}
RECORDED = sorted(MACHINES.glob("*.json"))
SLICING_FAILS = Canary(name="baddbmm-beta-zero", status=CanaryStatus.WRONG)
SLICED = {"device": "mps", "attention": "sliced"}
LOW_RATIO = ENVIRONMENT + LOW
HIGH_RATIO = ENVIRONMENT + HIGH


def recorded(name: str) -> Facts:
    """A recorded machine."""
    [path] = [path for path in RECORDED if path.stem == name]
    return msgspec.json.decode(path.read_bytes(), type=Facts)


SD15 = Needs("stable-diffusion-v1-5/stable-diffusion-v1-5", Denoiser.UNET, 512)
MAC = recorded("m2-pro-macos-14.7.4-torch-2.6.0")
NEW = recorded("m5-macos-27.0-torch-2.14.0")
LINUX = recorded("linux-torch-2.13.0+cpu")


def with_profile(facts: Facts, settings: dict[str, str], *pinned: str) -> Facts:
    """The machine with these settings, some of them set by hand."""
    return replace(facts, profile=ProfileFile(path="/p.toml", settings=settings, pinned=pinned))


def fix_of(finding: Finding | None) -> Fix | None:
    """What `--fix` would do, if anything."""
    return finding.remedy.fix if finding else None


@pytest.mark.parametrize("fixable", [True, False])
def test_a_profile_that_is_not_valid_is_an_error(fixable: bool) -> None:
    """Only a file that can be read is fixed."""
    profile = ProfileFile(path="/p", problem="It is not TOML.", hint="Fix it.", fixable=fixable)
    report = examine(replace(MAC, profile=profile))
    results = {result.id: result for result in report.results}

    finding = results["MPS801"].finding
    assert finding is not None
    assert ("It is not TOML.", "Fix it.") == (finding.observed, finding.remedy.text)
    assert (Fix(kind=FixKind.PROFILE) if fixable else None) == fix_of(finding)
    assert 1 == report.exit_code_at()
    assert Status.SKIPPED is results["MPS802"].status


def test_a_profile_that_was_not_read_is_not_told() -> None:
    """Without a profile the checks are not recorded, and the verdict stays."""
    report = examine(MAC)

    assert 0 == report.exit_code_at()
    assert {Status.NOT_RECORDED} == {r.status for r in report.results if r.id.startswith("MPS8")}


@pytest.mark.parametrize(
    ("facts", "settings", "pinned", "harmful", "severity"),
    [
        (MAC, SLICED, {"attention"}, {"attention"}, Severity.WARNING),
        (MAC, SLICED, set(), set(), None),
        (MAC, SLICED | {"device": "cpu"}, {"attention"}, set(), None),
        (replace(NEW, canaries=()), SLICED, {"attention"}, set(), None),
        (replace(NEW, canaries=(SLICING_FAILS,)), SLICED, {"attention"}, {"attention"}, "warning"),
        (LINUX, SLICED, {"device", "attention"}, {"device"}, Severity.WARNING),
        (LINUX, SLICED, {"attention"}, set(), None),
        (MAC, SLICED | {HIGH_RATIO: "0.7", LOW_RATIO: "0.8"}, {HIGH_RATIO}, {HIGH_RATIO}, "error"),
        (MAC, SLICED | {HIGH_RATIO: "0.7", LOW_RATIO: "0.6"}, {HIGH_RATIO}, set(), None),
        (MAC, SLICED | {HIGH_RATIO: "0.7", LOW_RATIO: "0.8"}, set(), set(), None),
        (
            MAC,
            SLICED | {HIGH_RATIO: "9", LOW_RATIO: "0.8"},
            {HIGH_RATIO, LOW_RATIO, "attention"},
            {HIGH_RATIO, LOW_RATIO, "attention"},
            Severity.ERROR,
        ),
    ],
)
def test_a_value_by_hand_is_found_where_this_machine_cannot_render_with_it(
    facts: Facts,
    settings: dict[str, str],
    pinned: set[str],
    harmful: set[str],
    severity: Severity | None,
) -> None:
    """Only values set by hand count: the same check tunes all others again."""
    finding = BY_ID["MPS802"].examine(with_profile(facts, settings, *sorted(pinned)))

    assert severity == (finding.severity if finding else None)
    fix = fix_of(finding)
    assert harmful == set(fix.settings if fix else ())
    for name in harmful:
        assert finding is not None
        assert f'{name.removeprefix(ENVIRONMENT)} = "{settings[name]}"' in finding.observed


@pytest.mark.parametrize(
    "facts",
    [
        with_profile(replace(NEW, torch=None), SLICED, "device"),
        with_profile(replace(NEW, canaries=None), SLICED, "attention"),
    ],
)
def test_a_value_of_which_nobody_knows_whether_it_does_harm_is_not_told(facts: Facts) -> None:
    """Unknown is not ok."""
    [result] = examine(facts, [BY_ID["MPS802"]]).results

    assert Status.NOT_RECORDED is result.status


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_what_is_tuned_is_never_blamed(path: Path) -> None:
    """No check finds fault with a tuned value, so restoring it is a fix."""
    facts = recorded(path.stem)
    settings = {
        name: str(choice.value)
        for name, choice in tune(facts, SD15).items()
        if choice.value is not None
    }

    [result] = examine(with_profile(facts, settings, *settings), [BY_ID["MPS802"]]).results
    assert result.finding is None


names = st.sampled_from(["device", "dtype", "attention", HIGH_RATIO, LOW_RATIO])
values = st.sampled_from(["mps", "cpu", "sliced", "native", "0.7", "1.0", "x", ""])


@given(
    st.sampled_from([path.stem for path in RECORDED]),
    st.dictionaries(names, values),
    st.lists(names, unique=True).map(tuple),
)
def test_any_profile_gets_an_answer_and_a_fix_of_what_is_pinned(
    machine: str, settings: dict[str, str], pinned: tuple[str, ...]
) -> None:
    """No mix of values crashes a check, and only values set by hand are restored."""
    facts = with_profile(recorded(machine), settings, *pinned)
    results = examine(facts, [BY_ID["MPS801"], BY_ID["MPS802"]]).results

    assert Status.OK is results[0].status
    assert results[1].status in (Status.OK, Status.FINDING, Status.NOT_RECORDED)
    fix = fix_of(results[1].finding)
    assert fix is None or set(fix.settings) <= set(pinned) & settings.keys()


@pytest.mark.parametrize(
    ("pinned", "in_file", "fix"),
    [
        (("dtype",), "float16", Fix(kind=FixKind.SETTINGS, settings=("dtype",))),
        ((), "float16", None),
        (("dtype",), "bfloat16", None),
    ],
)
def test_a_number_format_is_put_back_where_the_file_pins_it(
    pinned: tuple[str, ...], in_file: str, fix: Fix | None
) -> None:
    """A tuned value is written again anyway, and a variable's value is not in the file."""
    flux = ModelFiles(
        model="a", state=ModelState.COMPLETE, pipeline="FluxPipeline", dtype="float16"
    )
    facts = with_profile(replace(MAC, model_files=flux), {"dtype": in_file}, *pinned)

    assert fix == fix_of(BY_ID["MPS607"].examine(facts))


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("facts", [MAC, LINUX])
def test_a_hot_folder_that_is_not_made_yet_is_a_note(facts: Facts, place: Place) -> None:
    """It is created in an ordinary place; another check finds a bad place."""
    folder = Folder(path="/x", exists=False, usable=True, place=place)
    finding = BY_ID["MPS505"].examine(replace(facts, hot_folder=HotFolder(folder=folder)))

    if facts is MAC and place is not Place.ORDINARY:
        assert finding is None
    else:
        assert finding is not None
        assert finding.severity is Severity.NOTE
        assert Fix(kind=FixKind.HOT_FOLDER) == fix_of(finding)
