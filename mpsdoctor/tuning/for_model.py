"""The settings for one model on this machine: every command and the API ask here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from mpsdoctor.facts.records import Facts
from mpsdoctor.planning.configs import Configs
from mpsdoctor.profile.choice import Choices, settings_of
from mpsdoctor.profile.loading import Layers, Loaded, Origin, combine
from mpsdoctor.profile.settings import Profile
from mpsdoctor.tuning import lookup
from mpsdoctor.tuning.context import Context
from mpsdoctor.tuning.fit import Fit
from mpsdoctor.tuning.host import Host
from mpsdoctor.tuning.needs import Needs, needs_of
from mpsdoctor.tuning.rules import tune

P = TypeVar("P", bound=Profile)


@dataclass(frozen=True)
class Tuned:
    """What the rules choose for a model. `folder` is where it lies on this disk, as far as it does.

    `fit` is the way to render that they rest on; None where the needs are not known.
    """

    choices: Choices
    needs: Needs
    folder: Path | None
    fit: Fit | None


@dataclass(frozen=True)
class ModelSettings(Generic[P]):
    """What a model is rendered with; `choices` are empty where the file's own values count."""

    loaded: Loaded[P]
    choices: Choices = field(default_factory=dict)


def tune_for(
    model: str,
    facts: Facts,
    host: Host,
    *,
    device: str | None = None,
    configs: Configs | None = None,
) -> Tuned:
    """The settings that are right for `model` on the machine of `facts`.

    `device` is one that the user set in place of the tuned one: number format and attention follow
    it. `configs` are the model's, where they are known already.
    """
    name = lookup.name_of(model)
    configs = configs or lookup.configs_of(name, host)
    needs = needs_of(name, configs)
    needs = lookup.with_footprints(Context(facts, needs, device), configs, host)
    fit = Context(facts, needs, device).fit
    return Tuned(tune(facts, needs, device), needs, lookup.folder_of(name, host), fit)


def settings_for(
    kind: type[P],
    model: str | None,
    layers: Layers,
    facts: Callable[[], Facts],
    host: Host,
    configs: Configs | None = None,
) -> ModelSettings[P]:
    """What `model` (None: the one that the layers name) is rendered with.

    The file's values are for the file's own model. Every other one, also one that was written into
    the file after it was tuned, gets settings tuned for it, under those that the user set for all
    models: in the file by hand, with variables, and as arguments. `facts` is asked only then.

    Raises MpsDoctorError where a value is not understood.
    """
    name = lookup.name_of(model or layers.model)
    given: dict[Origin, Mapping[str, Any]] = {
        Origin.ENVIRONMENT: layers.environment,
        Origin.ARGUMENT: {**layers.arguments, "model": name},
    }
    if name == layers.tuned_model == layers.file_model:
        return ModelSettings(combine(kind, {Origin.FILE: layers.file, **given}, layers.path))
    choices = choices_for(name, layers, facts, host, configs)
    settings = settings_of(choices)
    edits = _with_variables(layers.edits_for(name), settings)
    below = {Origin.TUNED: settings, Origin.FILE: edits}
    return ModelSettings(combine(kind, {**below, **given}, layers.path), choices)


def choices_for(
    model: str,
    layers: Layers,
    facts: Callable[[], Facts],
    host: Host,
    configs: Configs | None = None,
) -> Choices:
    """What is tuned for `model` beside the values that the user set, each with its reason."""
    edits = layers.edits_for(model)
    device = {**edits, **layers.environment, **layers.arguments}.get("device")
    return tune_for(model, facts(), host, device=device, configs=configs).choices


def _with_variables(edits: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The edits; environment variables among them stand beside those that were tuned."""
    if "environment" not in edits:
        return dict(edits)
    return {**edits, "environment": {**settings["environment"], **edits["environment"]}}
