"""The settings for one model on this machine: every command and the API ask here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from mpsdoctor.facts.records import Facts
from mpsdoctor.paths import model_name
from mpsdoctor.planning.configs import Configs
from mpsdoctor.profile.choice import ENVIRONMENT, Choices, nested, settings_of
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
class TunedModel:
    """What the rules choose for a model. `folder` is None if nothing of it is on this disk.

    `fit` is the way to render that the choices assume; None if the needs are not known.
    """

    choices: Choices
    needs: Needs
    folder: Path | None
    fit: Fit | None


@dataclass(frozen=True)
class ModelSettings(Generic[P]):
    """What a model is rendered with; `choices` are empty if the file's own values count."""

    loaded: Loaded[P]
    choices: Choices = field(default_factory=dict)


def tune_for(
    model: str,
    facts: Facts,
    host: Host,
    *,
    device: str | None = None,
    configs: Configs | None = None,
) -> TunedModel:
    """The settings that are right for `model` on the machine of `facts`.

    `device` is the user's own choice, if any: number format and attention depend on it. `configs`
    are the model's, if they are known already.
    """
    name = model_name(model)
    configs = configs or lookup.configs_of(name, host)
    needs = needs_of(name, configs)
    needs = lookup.with_footprints(Context(facts, needs, device), configs, host)
    fit = Context(facts, needs, device).fit
    return TunedModel(tune(facts, needs, device), needs, lookup.folder_of(name, host), fit)


def settings_for(
    kind: type[P],
    model: str | None,
    layers: Layers,
    facts: Callable[[], Facts],
    host: Host,
    configs: Configs | None = None,
) -> ModelSettings[P]:
    """What `model` (None: the one that the layers name) is rendered with.

    The file's values are for the model and the device that it was tuned for. Any other model gets
    settings tuned for it, even if it was written into the file later. What the user set for all
    models overrides them: in the file by hand, with variables, and as arguments. `facts` is called
    only then.

    Raises MpsDoctorError if a value is not understood.
    """
    name = model_name(model or layers.model)
    given: dict[Origin, Mapping[str, Any]] = {
        Origin.ENVIRONMENT: layers.environment,
        Origin.ARGUMENT: {**layers.arguments, **({"model": name} if model else {})},
    }
    if _is_tuned_for(name, layers):
        return ModelSettings(combine(kind, {**_of_file(layers), **given}, layers.path))
    choices = choices_for(name, layers, facts, host, configs)
    below = {Origin.TUNED: settings_of(choices), Origin.FILE: _edits(layers, name, choices)}
    return ModelSettings(combine(kind, {**below, **given}, layers.path), choices)


def choices_for(
    model: str,
    layers: Layers,
    facts: Callable[[], Facts],
    host: Host,
    configs: Configs | None = None,
) -> Choices:
    """What is tuned for `model`, given the values that the user set, each with its reason."""
    edits = layers.document.edits_for(model)
    device = {**edits, **layers.environment, **layers.arguments}.get("device")
    return tune_for(model, facts(), host, device=device, configs=configs).choices


def _is_tuned_for(model: str, layers: Layers) -> bool:
    """Whether the file's values are for this model, on the device that is in force."""
    file = layers.document
    if layers.path is None or not model == file.model == file.tuned_model:
        return False
    device = layers.in_force.get("device", file.values["device"])
    return bool(file.recorded.get("device", device) == device)


def _of_file(layers: Layers) -> dict[Origin, Mapping[str, Any]]:
    """The file's values; tuned values still count if their line was deleted."""
    deleted: dict[str, Any] = {**nested(layers.document.deleted)}
    variables = {**deleted.pop("environment"), **layers.file.get("environment", {})}
    file = {**layers.file, "environment": variables} if variables else layers.file
    return {Origin.TUNED: deleted, Origin.FILE: file}


def _edits(layers: Layers, model: str, choices: Choices) -> dict[str, Any]:
    """The user's own values; environment variables are joined with the tuned ones."""
    edits = layers.document.edits_for(model)
    settings = settings_of(choices, edits)
    own = {name for name in edits if not name.startswith(ENVIRONMENT)}
    has_variables = len(own) < len(edits)
    return {
        name: value
        for name, value in settings.items()
        if name in own or (name == "environment" and has_variables)
    }
