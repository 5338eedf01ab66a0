"""The settings, under Diffusers' and PyTorch's own names."""

import hashlib
import os
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field, NonNegativeFloat, PositiveInt
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from mpsdoctor.constants import EMBEDDED_MODEL, ENV_PREFIX, PROFILE_SCHEMA
from mpsdoctor.errors import warn
from mpsdoctor.profile.activation import too_late

if TYPE_CHECKING:
    from typing_extensions import Self

MODEL_SETTINGS: Final = frozenset(
    {
        "dtype",
        "variant",
        "vae_dtype",
        "vae_tiling",
        "vae_slicing",
        "width",
        "height",
        "largest_side",
        "num_inference_steps",
        "guidance_scale",
        "scheduler",
        "timestep_spacing",
    }
)
"""Settings that apply to the file's `model` only; the others apply to the machine."""


_IN_TIME: Final = (
    "Call `mpsdoctor.load_profile().activate()` before importing torch or anything that imports "
    "torch, and restart Python; in a notebook, restart the kernel."
)

_PYDANTIC: Final = frozenset(name for name in dir(BaseSettings) if not name.startswith("_"))


class Profile(BaseSettings):
    """How to render on one machine. A setting that is None is left to the model.

    `mpsdoctor.profile.loading.load` layers arguments, environment, file and defaults;
    constructing a Profile reads neither file nor environment.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, extra="forbid", frozen=True, protected_namespaces=()
    )

    schema_version: Literal[1] = Field(
        default=PROFILE_SCHEMA, description="Version of this file's keys."
    )
    model: str = Field(
        default=EMBEDDED_MODEL,
        min_length=1,
        description="A Hugging Face model id, a local folder, or `shapes`, the embedded model.",
    )
    models: list[str] = Field(
        default_factory=list,
        description="Other models that prompt files may name; each gets settings tuned for it.",
    )
    device: Literal["mps", "cpu"] = Field(default="mps", description="PyTorch device.")
    dtype: Literal["float16", "bfloat16", "float32"] = Field(
        default="float16", description="Number format of the weights."
    )
    variant: str | None = Field(
        default=None,
        description="Weight files to prefer, such as `fp16`; others are used if it is absent.",
    )
    use_safetensors: bool = Field(
        default=True, description="Refuse pickled weights, which can run code."
    )
    vae_dtype: Literal["float16", "bfloat16", "float32"] | None = Field(
        default=None, description="Number format of the VAE, if it differs from the weights'."
    )
    attention: Literal["native", "bounded", "sliced"] = Field(
        default="native",
        description="PyTorch's attention, the same in pieces, or Diffusers' attention slicing.",
    )
    attention_budget: PositiveInt | None = Field(
        default=None, description="MiB for the scores of each piece of bounded attention."
    )
    vae_tiling: bool = Field(default=False, description="Decode large pictures tile by tile.")
    vae_slicing: bool = Field(
        default=False, description="Decode the pictures of a batch one by one."
    )
    prime: bool = Field(default=False, description="One discarded step before the first picture.")
    one_prompt_at_a_time: bool = Field(
        default=True, description="Render prompts one by one, not as a batch."
    )
    width: PositiveInt | None = Field(
        default=None, multiple_of=8, description="Picture width in pixels."
    )
    height: PositiveInt | None = Field(
        default=None, multiple_of=8, description="Picture height in pixels."
    )
    largest_side: PositiveInt | None = Field(
        default=None,
        description="Side, in pixels, of the largest square; pictures of more pixels are refused.",
    )
    num_inference_steps: PositiveInt | None = Field(
        default=None, description="Denoising steps per picture."
    )
    guidance_scale: NonNegativeFloat | None = Field(
        default=None,
        description="How closely to follow the prompt; 0 turns guidance off.",
    )
    scheduler: str | None = Field(
        default=None,
        min_length=1,
        description="A scheduler class of Diffusers that replaces the model's own.",
    )
    timestep_spacing: Literal["leading", "linspace", "trailing"] | None = Field(
        default=None, description="How the scheduler spreads its steps."
    )
    hot_folder: str = Field(
        default="~/mpsdoctor", description="Folder that `mpsdoctor watch` watches for prompts."
    )
    ignore: list[str] = Field(
        default_factory=list, description="Ids of checks that `mpsdoctor check` skips."
    )
    environment: dict[str, str] = Field(
        default_factory=dict,
        description="Environment variables that torch reads when it is imported or first used.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only arguments: `load` reads the other sources itself, to know each value's origin."""
        return (init_settings,)

    def activate(self, environ: MutableMapping[str, str] | None = None) -> None:
        """Sets the profile's environment variables, unless the user has set them.

        Call it before importing torch: `PYTORCH_ENABLE_MPS_FALLBACK` is read while libtorch loads,
        the watermark ratios when the mps allocator is first used. Issues an MpsDoctorWarning if
        torch has already read one of this process's variables.
        """
        target = os.environ if environ is None else environ
        missing = {name: text for name, text in self.environment.items() if name not in target}
        target.update(missing)
        if target is os.environ:
            late = list(too_late(missing, sys.modules.get("torch")))
            if late:
                warn(" ".join((*late, _IN_TIME)))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> "Self":
        """A copy with the settings in `update`.

        Raises pydantic's ValidationError for the values that the constructor refuses.
        """
        if not update:
            return super().model_copy(deep=deep)
        own = {name: getattr(self, name) for name in self.model_fields_set}
        checked = type(self)(**{**own, **update})
        understood = {name: getattr(checked, name) for name in update}
        return super().model_copy(update=understood, deep=deep)

    def __dir__(self) -> Iterable[str]:
        """The settings and our own methods, without what pydantic adds to every class."""
        return [name for name in super().__dir__() if name not in _PYDANTIC]


# These do not change what pictures look like.
_ELSEWHERE = frozenset({"schema_version", "models", "hot_folder", "ignore"})


def fingerprint(*profiles: Profile) -> str:
    """16 hexadecimal digits; profiles with the same digits render the same pictures.

    The order of the profiles does not matter, nor do repetitions.
    """
    return hashlib.sha256("\n".join(sorted(set(map(_text, profiles)))).encode()).hexdigest()[:16]


def _text(profile: Profile) -> str:
    settings = profile.model_copy(update={"environment": dict(sorted(profile.environment.items()))})
    return settings.model_dump_json(exclude=set(_ELSEWHERE))
