"""The known faults: complete rows, and which machine has which fault."""

import re
from collections.abc import Iterator
from itertools import chain

import msgspec
import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from mpsdoctor.facts.records import Facts
from mpsdoctor.knowledge import chips, floors, versions
from mpsdoctor.knowledge.data import to_record
from mpsdoctor.knowledge.device import Device
from mpsdoctor.knowledge.faults import fault_page, index_page, matching
from mpsdoctor.knowledge.faults.fault import Area, Effect, Fault, Reach
from mpsdoctor.knowledge.faults.matching import Certainty
from mpsdoctor.profile.settings import Profile
from mpsdoctor.resources import knowledge
from tests.support.machines import MACHINES

CANARIES = {
    "argmax", "baddbmm-beta-zero", "conv-chunk", "conv2d-sliced-weight", "conv3d",
    "copy-non-blocking", "cpu-scalar-offset", "cumsum", "float64-refusal", "int64",
    "layer-norm-float16", "linear-bias", "linear-twice-bf16", "sdpa", "sdpa-causal",
    "sdpa-scale-cache", "slice-assignment",
}  # fmt: skip
M2_PRO = Device(torch=Version("2.6.0"), macos=Version("14.7.4"), chip="Apple M2 Pro")
every_fault = pytest.mark.parametrize("fault", matching.load(), ids=lambda fault: fault.id)


def edges(*ranges: SpecifierSet) -> Iterator[Version]:
    """The known releases, and those around the start and end of each range."""
    yield from (row.torch for row in floors.load().wheels)
    for part in chain.from_iterable(ranges):
        edge = Version(part.version.removesuffix(".*"))
        yield from (edge, Version(f"{edge}.1"), Version(f"{edge.major}.{max(edge.minor - 1, 0)}.9"))


def certainties(torch: str | None, macos: str | None, chip: str | None) -> dict[str, Certainty]:
    """The certainty of each match, by fault id."""
    device = Device(torch=versions.parse(torch), macos=versions.parse(macos), chip=chip)
    found = matching.matches(device)
    return {match.fault.id: match.certainty for match in found}


def on(machine: str) -> dict[str, Certainty]:
    """The certainty of each match of a recorded machine, by fault id."""
    facts = msgspec.json.decode(
        (MACHINES / f"{machine}.json").read_text(encoding="utf-8"), type=Facts
    )
    return certainties(facts.torch_version, facts.system.macos_version, facts.hardware.chip)


def test_there_are_many_faults_and_each_has_its_own_id() -> None:
    """Each row has a unique id, and no fault has been lost."""
    ids = [fault.id for fault in matching.load()]
    assert len(ids) == len(set(ids)) >= 45


@every_fault
def test_the_settings_are_those_of_a_profile(fault: Fault) -> None:
    """A remedy that names settings can be copied into a profile."""
    Profile.model_validate(fault.settings)


@every_fault
def test_what_is_verified_is_affected(fault: Fault) -> None:
    """A range is verified for releases that have the fault, and for at least one of them."""
    releases = set(edges(fault.torch, fault.verified))
    verified = {release for release in releases if release in fault.verified}
    assert verified
    assert all(release in fault.torch for release in verified)


@every_fault
def test_a_fault_can_match(fault: Fault) -> None:
    """Some macOS and some release that runs on it have the fault; empty ranges are mistakes."""
    systems = {"12.5", "13.0", "13.2.1", "13.5", "14.4.1", "14.7.4", "15.3", "26.2", "26.5", "27.0"}
    for_macos = [Version(system) for system in systems if system in fault.macos]
    assert any(
        release in fault.torch and (floors.macos_floor(release) or macos) <= macos
        for release in edges(fault.torch)
        for macos in for_macos
    )


@every_fault
def test_a_row_is_written_for_people(fault: Fault) -> None:
    """Symptoms are short headings, triggers and remedies are sentences, and canaries exist."""
    assert len(fault.symptom) <= 90
    assert not fault.symptom.endswith(".")
    assert fault.trigger.endswith(".")
    assert fault.remedy.endswith(".")
    assert fault.canary is None or fault.canary in CANARIES


def test_faults_stand_with_their_area() -> None:
    """The file is grouped by area, so that contributors find the place for a row."""
    areas = [fault.area for fault in matching.load()]
    assert sorted(areas, key=list(Area).index) == areas
    assert set(areas) == set(Area) == set(index_page.HEADINGS)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", "Two Words"),
        ("id", "word"),
        ("torch", "about 2.5"),
        ("chips", ("apple99",)),
        ("sources", ()),
        ("confidence", "certain"),
        ("extra", 1),
    ],
)
def test_a_row_that_is_not_whole_is_refused(key: str, value: object) -> None:
    """An error in a row is named when the file is read."""
    row = tomlkit.parse(knowledge("faults.toml").read_text("utf-8")).unwrap()["fault"][0]
    with pytest.raises(ValueError, match=key):
        to_record({**row, key: value}, Fault)


@pytest.mark.parametrize(
    ("machine", "fault_id", "certainty"),
    [
        ("m2-pro-macos-14.7.4-torch-2.6.0", "baddbmm-beta-zero-nan", Certainty.MAY),
        ("m2-pro-macos-14.7.4-torch-2.6.0", "causal-mask-leak", Certainty.UNVERIFIED),
        ("m2-pro-macos-14.7.4-torch-2.6.0", "sana-broken-output", Certainty.MAY),
        ("m2-pro-macos-14.7.4-torch-2.6.0", "linear-random-on-m5", None),
        ("m2-max-macos-26.3.1-torch-2.10.0", "causal-mask-leak", Certainty.MAY),
        ("m2-max-macos-26.3.1-torch-2.10.0", "matmul-long-inner-dimension", Certainty.MAY),
        ("m2-max-macos-26.3.1-torch-2.10.0", "conv3d-wrong-macos-26-2", None),
        ("m4-pro-64gb-macos-15.2-torch-2.5.1", "attention-over-4-gib-abort", Certainty.MAY),
        ("m4-pro-64gb-macos-15.2-torch-2.5.1", "matmul-long-inner-dimension", None),
        ("m5-macos-27.0-torch-2.14.0", "baddbmm-beta-zero-nan", None),
        ("m5-macos-27.0-torch-2.14.0", "linear-random-on-m5", None),
        ("m5-macos-27.0-torch-2.14.0", "copy-non-blocking-garbage", Certainty.UNVERIFIED),
        ("m1-macos-12.2.1-torch-1.13.0.dev", "first-picture-differs", Certainty.MAY),
        ("arm64-macos-26.0-torch-2.9.1", "linear-random-on-m5", Certainty.UNVERIFIED),
    ],
)
def test_the_faults_of_recorded_machines(
    machine: str, fault_id: str, certainty: Certainty | None
) -> None:
    """Release, macOS and chip decide which faults a machine can have, and how surely."""
    assert certainty is on(machine).get(fault_id)


def test_a_failed_canary_turns_may_into_does() -> None:
    """A fault that the GPU shows comes first, whatever the sources say about this PyTorch."""
    first, *others = matching.matches(replace(M2_PRO, wrong=("sdpa-causal",)))
    assert (first.fault.id, first.certainty) == ("causal-mask-leak", Certainty.DOES)
    assert all(match.certainty is not Certainty.DOES for match in others)


def test_a_right_canary_clears_only_what_it_proves_the_absence_of() -> None:
    """The fault stays listed as unverified and unseen; luck, or another cause, clears nothing."""
    machine = replace(M2_PRO, torch=Version("2.10.0"), macos=Version("15.5"))
    right = replace(machine, right=tuple(sorted(CANARIES)))
    before = {match.fault.id: match for match in matching.matches(machine)}
    after = {match.fault.id: match for match in matching.matches(right)}
    changed = {name for name, match in after.items() if match != before[name]}
    assert changed == {"causal-mask-leak"}
    assert before["causal-mask-leak"].certainty is Certainty.MAY
    assert after["causal-mask-leak"].certainty is Certainty.UNVERIFIED
    assert after["causal-mask-leak"].unseen


def test_what_clears_has_a_canary() -> None:
    """Only a canary can prove that a fault is absent."""
    cleared = {fault.id: fault.canary for fault in matching.load() if fault.clears}
    assert cleared == {
        "causal-mask-leak": "sdpa-causal",
        "linear-bias-dropped": "linear-bias",
        "layer-norm-float16-abort": "layer-norm-float16",
    }


def test_what_is_not_known_can_be_anything_and_is_named() -> None:
    """Without any facts, every fault matches as unverified and names the missing facts."""
    found = {match.fault.id: match for match in matching.matches(Device())}
    assert set(found) == {fault.id for fault in matching.load()}
    assert found["linear-bias-dropped"].unknown == ("torch", "macOS", "chip")
    assert found["baddbmm-beta-zero-nan"].unknown == ("torch",)
    assert found["baddbmm-beta-zero-nan"].certainty is Certainty.UNVERIFIED
    assert found["kolors-float16-black"].unknown == ()


def test_the_surest_and_gravest_come_first() -> None:
    """Matches are sorted by certainty, then by reach, then by effect."""
    found = matching.matches(
        Device(torch=Version("2.5.1"), macos=Version("15.2"), chip="Apple M4 Pro")
    )
    ranks = [
        (
            list(Certainty).index(match.certainty),
            list(Reach).index(match.fault.reach),
            list(Effect).index(match.fault.effect),
        )
        for match in found
    ]
    assert sorted(ranks) == ranks
    assert found[0].fault.id == "baddbmm-beta-zero-nan"


any_version = st.none() | st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,3}){0,3}", fullmatch=True).map(
    Version
)


@settings(max_examples=25)
@given(
    torch=any_version,
    macos=any_version,
    chip=st.none() | st.text() | st.from_regex(r"Apple M\d{1,2}( Pro)?", fullmatch=True),
    failed=st.sets(st.sampled_from(sorted(CANARIES))),
)
def test_no_machine_is_too_odd_to_match(
    torch: Version | None, macos: Version | None, chip: str | None, failed: set[str]
) -> None:
    """Any versions and chips give matches, and missing facts never hide one."""

    def ids(torch: Version | None, macos: Version | None, chip: str | None) -> set[str]:
        device = Device(torch=torch, macos=macos, chip=chip, wrong=tuple(failed))
        return {match.fault.id for match in matching.matches(device)}

    found = ids(torch, macos, chip)
    assert found <= ids(None, macos, chip) & ids(torch, None, chip) & ids(torch, macos, None)


@pytest.mark.parametrize(
    ("brand", "family"),
    [
        ("Apple M1", "apple7"),
        ("Apple M2 Ultra", "apple8"),
        ("Apple M3 Max", "apple9"),
        ("Apple M4", "apple9"),
        ("Apple M5 Pro", "apple10"),
        ("Intel(R) Core(TM) i9-9880H CPU @ 2.30GHz", "mac2"),
        ("Apple M10", None),
        ("Apple processor", None),
        ("", None),
        (None, None),
    ],
)
def test_the_gpu_family_of_a_chip(brand: str | None, family: str | None) -> None:
    """Pro, Max and Ultra share their chip's family; M10 is not M1."""
    assert family == chips.family(brand)


def test_the_page_is_up_to_date() -> None:
    """docs/faults.md is what `python -m mpsdoctor.knowledge.faults.index_page` writes."""
    assert index_page.document() == index_page.PATH.read_text(encoding="utf-8")


def test_every_fault_is_listed_and_has_its_section() -> None:
    """The contents link to every section of the page."""
    page = index_page.document()
    links = re.findall(r"^- \[[a-z0-9-]+\]\(#([a-z0-9-]+)\)", page, re.MULTILINE)
    sections = re.findall(r"^### (\S+)$", page, re.MULTILINE)
    assert links == sections == [fault.id for fault in matching.load()]


def fault(name: str) -> Fault:
    return next(fault for fault in matching.load() if fault.id == name)


def test_the_page_of_a_fault_says_all_that_is_known() -> None:
    """One page has the cause, the remedy, the settings, the versions in words and the sources."""
    known = fault("conv-chunk-first-only")
    assert matching.page(known) == fault_page.render(known, level=1)
    assert matching.page(known) == (
        "# conv-chunk-first-only\n\n"
        f"{known.symptom}.\n\nWhen: {known.trigger}\n\nWhat helps: {known.remedy}\n\n"
        "In a profile:\n\n```toml\none_prompt_at_a_time = true\n```\n\n"
        "- effect: wrong pictures or numbers, without an error\n"
        "- reaches: some models, options and calls\n"
        "- PyTorch: from 2.9\n"
        "- verified: from 2.9, before 2.11\n"
        "- macOS: from 26.2, before 27\n"
        "- chips: M5\n"
        "- number formats: any\n"
        "- fixed in: no release yet\n"
        "- canary: conv-chunk\n"
        "- confidence: medium\n"
        "- sources: [pytorch #169342](https://github.com/pytorch/pytorch/issues/169342)\n"
    )


PARTLY = {"attention-float32-leak", "batch-noise-or-crash"}
"""Faults whose fix is a workaround, or does not cover everything."""


@every_fault
def test_a_range_ends_with_the_fix(fault: Fault) -> None:
    """The first release of PyTorch or macOS without the fault is outside its range."""
    fix = re.search(r"(PyTorch|macOS) (\d+(?:\.\d+)*)", fault.fixed_in)
    if fix is None or fault.id in PARTLY:
        return
    versions_with = fault.torch if fix[1] == "PyTorch" else fault.macos
    release = Version(fix[2])
    major, minor = release.major, release.minor
    patch = f"{major}.{minor}.{release.micro - 1}" if release.micro else f"{major}.{minor - 1}.99"
    before = Version(patch if minor or release.micro else f"{major - 1}.99")
    assert (before in versions_with, release in versions_with) == (True, False)
