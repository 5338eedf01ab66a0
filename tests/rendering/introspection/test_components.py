"""The networks of a pipeline, compiled or not."""

from typing import Any

import pytest
import torch

from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.generate import generate
from mpsdoctor.rendering.introspection.components import component, original
from mpsdoctor.rendering.pipeline import apply

pytestmark = pytest.mark.heavy

REQUEST = Request(prompt="a red circle", seed=1)


def test_a_compiled_pipeline_makes_the_same_picture(pipe: Any, profile: Profile) -> None:
    """With torch.compile around each network, settings hold, defaults are found, and it renders."""
    [expected] = generate(profile, pipe, [REQUEST])
    vae = pipe.vae
    for name in ("unet", "text_encoder", "vae"):
        setattr(pipe, name, torch.compile(getattr(pipe, name), backend="eager"))
    tiled = profile.model_copy(update={"vae_tiling": True, "largest_side": 64})

    [picture] = generate(tiled, apply(tiled, pipe), [REQUEST])

    assert expected.image.tobytes() == picture.image.tobytes()
    assert (vae, True) == (component(pipe, "vae"), vae.use_tiling)


def test_what_is_not_compiled_is_itself(pipe: Any) -> None:
    """The first component that exists counts; a missing one gives None."""
    assert pipe.unet is original(pipe.unet) is component(pipe, "transformer", "unet")
    assert None is component(pipe, "transformer")
