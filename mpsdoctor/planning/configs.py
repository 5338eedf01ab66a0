"""A model's config files: all that its architecture is built from."""

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.disk import model_index
from mpsdoctor.facts.disk.model_index import Component
from mpsdoctor.files import read_regular
from mpsdoctor.knowledge import recommended
from mpsdoctor.knowledge.recommended import NO_GUIDANCE, Recommendation
from mpsdoctor.records import Record
from mpsdoctor.resources import PACKAGE

ARCHITECTURES = PACKAGE / "planning" / "architectures"
"""The config files of common models, one JSON file each."""

CONFIG_FILES = ("config.json", "scheduler_config.json", "tokenizer_config.json")


class Configs(Record, kw_only=True):
    """`model_index` is model_index.json; `components` maps names to config files.

    `also` has patterns of other ids with the same architecture.
    """

    model: str
    also: tuple[str, ...] = ()
    model_index: dict[str, Any]
    components: dict[str, dict[str, Any]]

    @property
    def pipeline(self) -> str:
        """The name of the Diffusers class; empty where the index has none."""
        return model_index.pipeline(self.model_index) or ""

    @property
    def classes(self) -> dict[str, Component]:
        """Component to library and class; components that the model does without are left out."""
        return model_index.components(self.model_index)

    @property
    def recommended(self) -> Recommendation | None:
        """How the model's authors call its pipeline."""
        files = {recommended.INDEX: self.model_index, **self.components}
        return recommended.find(self.model, files)

    @property
    def call(self) -> dict[str, float]:
        """Arguments of the pipeline that decide how much is computed in one step.

        Without classifier-free guidance, pipelines compute each step once instead of twice. With
        it, the scale makes no difference.
        """
        scale = self.recommended.guidance_scale if self.recommended else None
        return {"guidance_scale": scale} if scale is not None and scale <= NO_GUIDANCE else {}

    @property
    def key(self) -> str:
        """A digest of everything that a trace depends on."""
        content = [self.model_index, self.components, self.call]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def read_folder(model: str, folder: Path) -> Configs:
    """The config files in a model's folder; its weights need not be there.

    Raises MpsDoctorError if `model_index.json` or a component's config cannot be read.
    """
    index = _read(folder / model_index.FILE, model)
    configs = Configs(model=model, model_index=index, components={})
    components = {name: _component(folder / name, model) for name in configs.classes}
    return msgspec.structs.replace(configs, components=components)


def are_whole(folder: Path) -> bool:
    """Whether the folder has the index and a config file for each component."""
    try:
        return all(read_folder("", folder).components.values())
    except MpsDoctorError:
        return False


def read_file(path: Path) -> Configs:
    """One file of `ARCHITECTURES`, or one like it. Raises MpsDoctorError if it is not."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Configs)
    except (OSError, ValueError) as error:
        raise _unusable(path.stem, f"{path}: {error}") from error


def _component(folder: Path, model: str) -> dict[str, Any]:
    for name in CONFIG_FILES:
        if (folder / name).is_file():
            return _read(folder / name, model)
    return {}


def _read(path: Path, model: str) -> dict[str, Any]:
    try:
        content = json.loads(read_regular(path))
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(model, f"{path}: {error}") from error
    if not isinstance(content, dict):
        raise _unusable(model, f"{path} is not a JSON object.")
    return content


def _unusable(model: str, detail: str) -> MpsDoctorError:
    return MpsDoctorError(
        f"The config files of {model} cannot be read",
        detail=detail,
        hint="Planning needs `model_index.json` and the `config.json` of each component.",
    )
