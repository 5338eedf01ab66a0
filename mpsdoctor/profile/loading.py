"""A profile from its layers: arguments over environment over file over defaults."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource, SettingsError, TomlConfigSettingsSource

from mpsdoctor.constants import EMBEDDED_MODEL, ENV_PREFIX
from mpsdoctor.errors import MpsDoctorError, did_you_mean
from mpsdoctor.paths import PROFILE_FILE_VARIABLE, model_name, profile_file
from mpsdoctor.profile import document
from mpsdoctor.profile.document import Document
from mpsdoctor.profile.settings import Profile

P = TypeVar("P", bound=Profile)


class Origin(str, Enum):
    """The layer of a value."""

    ARGUMENT = "argument"
    ENVIRONMENT = "environment"
    FILE = "file"
    TUNED = "tuned"
    DEFAULT = "default"


@dataclass(frozen=True)
class Loaded(Generic[P]):
    """A profile, and the layer of each value by setting name."""

    profile: P
    origins: Mapping[str, Origin]


@dataclass(frozen=True)
class Layers:
    """Valid settings, separated by origin; together they form a profile.

    `path` is the file's path, or None if there is no file.
    """

    path: Path | None
    file: Mapping[str, Any]
    environment: Mapping[str, Any]
    arguments: Mapping[str, Any]

    @property
    def model(self) -> str:
        """The model in force."""
        return str(self.in_force.get("model", EMBEDDED_MODEL))

    @property
    def in_force(self) -> Mapping[str, Any]:
        """The settings of all layers combined, as for the file's own model."""
        return {**self.file, **self.environment, **self.arguments}

    @property
    def by_origin(self) -> dict[Origin, Mapping[str, Any]]:
        """The layers, the one with the lowest precedence first."""
        return {
            Origin.FILE: self.file,
            Origin.ENVIRONMENT: self.environment,
            Origin.ARGUMENT: self.arguments,
        }

    @cached_property
    def document(self) -> Document:
        """The file with its record; empty if there is no file."""
        return document.read(self.path.read_text("utf-8")) if self.path else Document()


def load(
    kind: type[P],
    path: Path | None,
    environ: Mapping[str, str],
    arguments: Mapping[str, Any] | None = None,
) -> Loaded[P]:
    """The profile at `path` (None: no file), overridden by `MPSDOCTOR_…` and by arguments.

    The file's settings count for every model here; `tuning.for_model` has those for one model.

    Raises MpsDoctorError if the file is absent, or if a key or value is not understood.
    """
    return combine(kind, _read(path, environ, arguments).by_origin, path)


def read_layers(
    path: Path | None, environ: Mapping[str, str], arguments: Mapping[str, Any] | None = None
) -> Layers:
    """The layers of `load`, still separate. Raises MpsDoctorError as `load` does."""
    layers = _read(path, environ, arguments)
    combine(Profile, layers.by_origin, path)
    return layers


def combine(
    kind: type[P], layers: Mapping[Origin, Mapping[str, Any]], path: Path | None
) -> Loaded[P]:
    """The profile of these layers, whose last one has precedence; messages name the file's `path`.

    Raises MpsDoctorError if a key or value is not understood.
    """
    for origin, layer in layers.items():
        _refuse_unknown(layer, origin, path)
    merged = {name: value for layer in layers.values() for name, value in layer.items()}
    origins = {name: origin for origin, layer in layers.items() for name in layer}
    try:
        profile = kind(**merged)
    except ValidationError as error:
        raise _refused_values(error, origins, path) from error
    return Loaded(
        profile, {name: origins.get(name, Origin.DEFAULT) for name in Profile.model_fields}
    )


def _read(
    path: Path | None, environ: Mapping[str, str], arguments: Mapping[str, Any] | None
) -> Layers:
    return Layers(
        path=path,
        file=_named(_file_settings(path, environ) if path else {}),
        environment=_named(_environment_settings(environ)),
        arguments=_named(arguments or {}),
    )


def _named(layer: Mapping[str, Any]) -> dict[str, Any]:
    """The layer, with the absolute path of a model's folder."""
    model = layer.get("model")
    return {**layer, "model": model_name(model)} if isinstance(model, str) and model else {**layer}


def _file_settings(path: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    if not path.exists():
        raise _absent(path, environ)
    if not path.is_file():
        raise MpsDoctorError(
            "The profile is not a file",
            detail=f"{path} is a folder or a device.",
            hint=f"Name a file with --profile FILE or {PROFILE_FILE_VARIABLE}.",
        )
    try:
        return TomlConfigSettingsSource(Profile, path)()
    except OSError as error:
        raise MpsDoctorError(
            "The profile cannot be read",
            detail=str(error),
            hint=f"Check the permissions of {path}.",
        ) from error
    except ValueError as error:
        raise MpsDoctorError(
            "The profile is not valid TOML",
            detail=f"{path}: {error}",
            hint="Fix that line, or delete the file and run `mpsdoctor check` to write a new one.",
        ) from error


def _absent(path: Path, environ: Mapping[str, str]) -> MpsDoctorError:
    """The error for an absent file: the default one is new, any other is probably misspelled."""
    if path == profile_file(environ):
        return MpsDoctorError(
            "There is no profile yet",
            detail=f"Looked for {path}",
            hint="Run `mpsdoctor check` to examine this machine and write one.",
        )
    write = shlex.join(("mpsdoctor", "check", "--profile", str(path)))
    return MpsDoctorError(
        f"There is no profile {path}",
        detail="No file has this name.",
        hint=f"Check the name. To write a profile there: {write}",
    )


def _environment_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    source = EnvSettingsSource(Profile)
    source.env_vars = {variable.lower(): value for variable, value in environ.items()}
    try:
        understood = source()
    except SettingsError as error:
        raise MpsDoctorError(
            f"A variable {ENV_PREFIX}… cannot be read",
            detail=str(error.__cause__ or error),
            hint=f'Table settings must be JSON: {ENV_PREFIX}ENVIRONMENT=\'{{"A": "1"}}\'',
        ) from error
    every = {
        variable.removeprefix(ENV_PREFIX).lower(): value
        for variable, value in environ.items()
        if variable.startswith(ENV_PREFIX) and variable != PROFILE_FILE_VARIABLE
    }
    return every | understood


def _refuse_unknown(layer: Mapping[str, Any], origin: Origin, path: Path | None) -> None:
    for name in layer:
        if name not in Profile.model_fields:
            raise MpsDoctorError(
                f"The profile has no setting {_spell(name, origin)}",
                detail=f"It comes from {_where(origin, path)}.",
                hint=did_you_mean(
                    name,
                    Profile.model_fields,
                    "`mpsdoctor profile show` lists the settings.",
                    partial(_spell, origin=origin),
                ),
            )


def _refused_values(
    error: ValidationError, origins: Mapping[str, Origin], path: Path | None
) -> MpsDoctorError:
    problem = error.errors()[0]
    name = str(problem["loc"][0])
    origin = origins.get(name, Origin.DEFAULT)
    return MpsDoctorError(
        f"{_spell(name, origin)} cannot be {problem['input']!r}",
        detail=f"{problem['msg']}. It comes from {_where(origin, path)}.",
        hint=f"{name}: {Profile.model_fields[name].description}",
    )


def _spell(name: str, origin: Origin) -> str:
    return ENV_PREFIX + name.upper() if origin is Origin.ENVIRONMENT else name


def _where(origin: Origin, path: Path | None) -> str:
    if origin is Origin.FILE:
        return str(path)
    return {
        Origin.ENVIRONMENT: "the environment",
        Origin.ARGUMENT: "the arguments",
        Origin.TUNED: "the tuned settings",
        Origin.DEFAULT: "the defaults",
    }[origin]
