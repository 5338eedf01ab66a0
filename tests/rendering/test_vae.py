"""The number format that a VAE decodes in."""

from typing import Any

import torch

from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.generate import generate
from mpsdoctor.rendering.pipeline import apply


def test_a_vae_decodes_in_its_own_format_and_keeps_its_weights(pipe: Any) -> None:
    """Only while it decodes are the weights in float32; another profile undoes it."""
    pipe.to(torch.bfloat16)
    seen: list[torch.dtype] = []
    pipe.vae.decoder.register_forward_hook(
        lambda _decoder, inputs, _output: seen.append(inputs[0].dtype)
    )
    profile = Profile(device="cpu", dtype="bfloat16", num_inference_steps=1)

    for vae_dtype in ("float32", None):
        changed = profile.model_copy(update={"vae_dtype": vae_dtype})
        generate(changed, apply(changed, pipe), [Request(prompt="a red circle", seed=1)])

    assert [torch.float32, torch.bfloat16] == seen
    assert torch.bfloat16 == pipe.vae.dtype


def test_a_decode_that_its_owner_compiled_stays_compiled(pipe: Any, profile: Profile) -> None:
    """Neither a number format of its own nor the check for infinity costs the user's function."""
    own = pipe.vae.decode
    compiled = pipe.vae.decode = lambda *args, **kwargs: own(*args, **kwargs)
    pipe.vae = torch.compile(pipe.vae, backend="eager")

    for vae_dtype in ("bfloat16", "float32", None):
        changed = profile.model_copy(update={"vae_dtype": vae_dtype})
        generate(changed, apply(changed, pipe), [Request(prompt="a red circle", seed=1)])

    assert compiled is pipe.vae.decode
