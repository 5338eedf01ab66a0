"""The settings that a command renders a model with."""

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
    """Those of the profile at `path`, and of the variables `MPSDOCTOR_…`, for any model.

    The machine is examined once at the most. Raises MpsDoctorError where the profile is not
    understood, or absent, unless it is `optional`.
    """

    def __init__(self, path: Path, *, optional: bool = False) -> None:
        self._host = host()
        self._facts = cache(lambda: machine_facts(path, self._host))
        self.layers: Layers = read_layers(
            None if optional and not path.exists() else path, os.environ
        )

    def of(self, model: str | None = None, configs: Configs | None = None) -> Profile:
        """For `model`, by default the one that the profile names.

        `configs` are the model's, where they are known already.
        """
        return self.explained(model, configs).loaded.profile

    def explained(
        self, model: str | None = None, configs: Configs | None = None
    ) -> ModelSettings[Profile]:
        """The same, with where each value comes from and why it was chosen."""
        return settings_for(Profile, model, self.layers, self._facts, self._host, configs)

    def choices(self, model: str | None = None) -> Choices:
        """What is tuned for it on this machine, with rules, facts and evidence."""
        name = model_name(model or self.layers.model)
        return choices_for(name, self.layers, self._facts, self._host)
