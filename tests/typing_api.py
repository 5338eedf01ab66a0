"""What type checkers see of the public names: this file only has to pass mypy."""

from typing import TYPE_CHECKING

from mpsdoctor import (
    MpsDoctorError,
    MpsDoctorWarning,
    Profile,
    TunedProfile,
    check,
    load_profile,
)

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    import torch
    from diffusers import DiffusionPipeline
    from PIL.Image import Image
    from typing_extensions import assert_type

    class Mine(DiffusionPipeline):  # type: ignore[misc]
        """Diffusers has no types of its own here, so this stands for any of its pipelines."""

    def settings(path: Path) -> None:
        assert_type(load_profile(), TunedProfile)
        assert_type(load_profile(path, width=512, dtype="float32", variant=None), TunedProfile)
        assert_type(load_profile().with_settings(ignore=["MPS501"]), TunedProfile)
        assert_type(load_profile().for_model("me/mine"), TunedProfile)
        assert_type(load_profile().device, Literal["mps", "cpu"])
        load_profile(num_inference_step=1)  # type: ignore[call-arg]
        load_profile(dtype="bogus")  # type: ignore[arg-type]
        load_profile(width="512")  # type: ignore[arg-type]
        load_profile().with_settings(attention="slices")  # type: ignore[arg-type]

    def pictures(profile: TunedProfile, pipe: Mine, photo: Image) -> None:
        assert_type(profile.apply(pipe), Mine)
        assert_type(profile.apply(pipe, convert=True), Mine)
        assert_type(profile.generate(pipe, "a cat"), list[Image])
        profile.generate(pipe, ["a cat", "a dog"], [1, 2], negative_prompt=["", "blue"])
        profile.generate(pipe, "a cat", generator=torch.Generator("cpu"), guidance_scale=0)
        profile.generate(pipe, "a cat", image=photo, on_step=lambda step, steps: None)
        profile.generate(pipe, "a cat", width="512")  # type: ignore[arg-type]
        profile.apply("me/mine")

    def machine() -> None:
        assert_type(check(quick=True).facts.is_mac, bool)
        check("me/mine")  # type: ignore[call-arg]
        assert_type(Profile(width=512).width, int | None)
        raise MpsDoctorError("title", detail=str(MpsDoctorWarning("text")))
