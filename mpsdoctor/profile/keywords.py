"""The settings as keyword arguments, for editors and type checkers."""

from typing import Literal, TypedDict


class Settings(TypedDict, total=False):
    """The settings that `load_profile` and `TunedProfile.with_settings` accept; `Profile` explains
    each one.
    """

    model: str
    models: list[str]
    device: Literal["mps", "cpu"]
    dtype: Literal["float16", "bfloat16", "float32"]
    variant: str | None
    use_safetensors: bool
    vae_dtype: Literal["float16", "bfloat16", "float32"] | None
    attention: Literal["native", "bounded", "sliced"]
    attention_budget: int | None
    vae_tiling: bool
    vae_slicing: bool
    prime: bool
    one_prompt_at_a_time: bool
    width: int | None
    height: int | None
    largest_side: int | None
    num_inference_steps: int | None
    guidance_scale: float | None
    scheduler: str | None
    timestep_spacing: Literal["leading", "linspace", "trailing"] | None
    hot_folder: str
    ignore: list[str]
    environment: dict[str, str]
