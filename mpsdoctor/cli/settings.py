"""The settings with which a command renders a model."""

import os
from functools import cache
from pathlib import Path

from mpsdoctor.cli.host import host
from mpsdoctor.paths import model_name
from mpsdoctor.planning.configs import Configs
from mpsdoctor.profile.choice import Choices
from mpsdoctor.profile.loading import Layers, read_layers
from mpsdoctor.profile.settings import Profile
from mpsdoctor.tuning.for_model import ModelSettings, choices_for, settings_for
from mpsdoctor.tuning.machine import machine_facts


class Settings:
    """The settings for any model, from the profile at `path` and the variables `MPSDOCTOR_…`.

    The machine is examined at most once. Raises MpsDoctorError if the profile is invalid, or if it
    does not exist and is not `optional`.
    """

    def __init__(self, path: Path, *, optional: bool = False) -> None:
        self._host = host()
        self._facts = cache(lambda: machine_facts(path, self._host))
        self.layers: Layers = read_layers(
            None if optional and not path.exists() else path, os.environ
        )

    def of(self, model: str | None = None, configs: Configs | None = None) -> Profile:
        """The settings for `model`, by default the profile's.

        `configs` are the model's config files, if they were already read.
        """
        return self.explained(model, configs).loaded.profile

    def explained(
        self, model: str | None = None, configs: Configs | None = None
    ) -> ModelSettings[Profile]:
        """The same settings, each with its origin and its reason."""
        return settings_for(Profile, model, self.layers, self._facts, self._host, configs)

    def choices(self, model: str | None = None) -> Choices:
        """What tuning chooses for the model on this machine, with rules, facts and evidence."""
        name = model_name(model or self.layers.model)
        return choices_for(name, self.layers, self._facts, self._host)
