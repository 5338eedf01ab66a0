"""Whichever command renders, plans or loads a model, the settings are the same."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mpsdoctor.api import load_profile
from mpsdoctor.cli.commands import plan, pull
from mpsdoctor.cli.doctor.tuned_profile import tune_with_edits, write_profile
from mpsdoctor.cli.host import host
from mpsdoctor.cli.settings import Settings
from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.facts import saved
from mpsdoctor.facts.records import Canary, CanaryStatus, Facts, ProbeOutcome, Torch
from mpsdoctor.hub.listing import Listing
from mpsdoctor.knowledge.canaries import MEANINGS
from mpsdoctor.paths import PROFILE_FILE_VARIABLE
from mpsdoctor.planning import catalogue
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import settings_of
from mpsdoctor.profile.document import Document
from mpsdoctor.profile.saving import read_document
from mpsdoctor.profile.settings import Profile
from mpsdoctor.tuning.machine import keep_facts
from tests.support.machines import MACHINES

pytestmark = pytest.mark.heavy

NAMES = [path.stem for path in sorted(MACHINES.glob("*.json"))]
OWN = {PROFILE_FILE_VARIABLE}
MODELS = [entry.model for entry in catalogue.load().values()]
EXAMPLES = int(os.environ.get("TEST_EXAMPLES", "40"))
SETTINGS = set(Profile.model_fields) - {"models", "hot_folder", "ignore"}

edited = st.fixed_dictionaries(
    {},
    optional={
        "device": st.just("cpu"),
        "attention": st.sampled_from(["native", "bounded"]),
        "width": st.just(640),
        "dtype": st.just("float32"),
        "environment.PYTORCH_MPS_HIGH_WATERMARK_RATIO": st.just("0.7"),
    },
)
"""What a user may have set by hand in the profile of another model."""

variables = st.fixed_dictionaries(
    {}, optional={"MPSDOCTOR_DEVICE": st.just("cpu"), "MPSDOCTOR_HEIGHT": st.just("512")}
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, on a machine that stays as it is."""
    for name in [name for name in os.environ if name.startswith("MPSDOCTOR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(PROFILE_FILE_VARIABLE, str(tmp_path / "profile.toml"))
    monkeypatch.setattr(saved, "conditions", lambda *_: {})
    return tmp_path


def machine(name: str, canary: str | None, *, has_mps: bool) -> Facts:
    """A recorded machine; one that nobody asked may get a torch that finds its GPU."""
    facts = msgspec.json.decode((MACHINES / f"{name}.json").read_bytes(), type=Facts)
    if has_mps and facts.is_mac:
        torch = Torch(
            outcome=ProbeOutcome.ANSWERED,
            version=facts.torch_version or "2.14.1",
            mps_built=True,
            mps_available=True,
        )
        facts = replace(facts, torch=torch)
    wrong = [Canary(name=canary, status=CanaryStatus.WRONG)] if canary else []
    return replace(facts, canaries=(*(facts.canaries or ()), *wrong), profile=None)


def answers(
    facts: Facts, model: str, home: Path, edits: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Who is asked, and the settings; the profile is for another model, with edits."""
    path, checked = home / "profile.toml", home / "checked.toml"
    choices = tune_with_edits(EMBEDDED_MODEL, facts, Document(edits)).choices
    for file in (path, checked):
        file.write_text(document.write(choices, edits, "this machine"))
    keep_facts(path, facts, host())
    write_profile(facts, model, checked)

    def of(profile: Profile) -> dict[str, Any]:
        return {name: getattr(profile, name) for name in SETTINGS}

    if read_document(path).edits_for(model) == read_document(checked).edits_for(model):
        # An edit that is what was tuned for the model is not told apart from it any more.
        yield "check", of(Settings(checked).of())
    yield "render, watch", of(Settings(path).of(model))
    with mock.patch.dict(os.environ, {"MPSDOCTOR_MODEL": model}):
        yield "demo", of(Settings(path).of())
    index = catalogue.find(model)
    assert index
    listing = Listing(model=model, commit="", index=index.model_index, files=())
    yield "pull", of(pull._settings_for(listing, path))
    yield "plan", of(plan._settings(plan._configs(model), None))
    yield "load_pipeline", of(load_profile(path).for_model(model))
    if not any(name.startswith("MPSDOCTOR_") for name in os.environ if name not in OWN):
        previous = read_document(path)
        tuned = tune_with_edits(model, facts, previous).choices
        measured = settings_of(tuned, previous.edits_for(model))
        yield "tune", of(Profile.model_validate(measured))
        if not edits:
            yield "plan --facts", of(plan._settings(plan._configs(model), facts))


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(NAMES),
    model=st.sampled_from(MODELS),
    canary=st.none() | st.sampled_from(sorted(MEANINGS)),
    has_mps=st.booleans(),
    edits=edited,
    environ=variables,
)
def test_commands_never_disagree_about_a_models_settings(
    home: Path,
    name: str,
    model: str,
    canary: str | None,
    has_mps: bool,
    edits: dict[str, Any],
    environ: dict[str, str],
) -> None:
    """On any recorded machine, for any common model, whatever the GPU gets wrong, the user has set
    by hand for another model, or says with variables."""
    facts = machine(name, canary, has_mps=has_mps)
    with mock.patch.dict(os.environ, environ):
        (first, expected), *others = answers(facts, model, home, edits)
        for asked, found in others:
            assert expected == found, f"{first} and {asked}"
