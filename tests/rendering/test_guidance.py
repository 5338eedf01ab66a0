"""What a CFG scale does to models of each kind of guidance."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from diffusers import DiffusionPipeline

from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.infotext import format_infotext, parse_infotext
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.generate import Picture, generate
from mpsdoctor.rendering.guidance import negative_prompts
from tests.support.pipelines import flux, qwen_image, stable_diffusion_3

STEPS = 2


def schnell(folder: Path) -> DiffusionPipeline:
    """FLUX without distilled guidance."""
    return flux(folder, guidance_embeds=False)


class Model:
    """A pipeline, and what its denoiser is given in the last picture."""

    def __init__(self, pipe: Any) -> None:
        self.pipe = pipe
        self.passes = 0
        self.scales: set[float] = set()
        pipe.set_progress_bar_config(disable=True)
        pipe.transformer.register_forward_pre_hook(self._note, with_kwargs=True)

    def _note(self, _: object, __: object, given: dict[str, Any]) -> None:
        self.passes += len(given["hidden_states"])
        if given.get("guidance") is not None:
            self.scales |= set(given["guidance"].tolist())

    def picture(self, profile: Profile, **asked: Any) -> Picture:
        """Of 64×64 pixels."""
        self.passes, self.scales = 0, set()
        request = Request(prompt="a red circle", seed=1, steps=STEPS, width=64, height=64, **asked)
        [picture] = generate(profile, self.pipe, [request])
        return picture


@pytest.fixture
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Model:
    """The one that the test names."""
    make: Callable[[Path], DiffusionPipeline] = request.param
    return Model(make(tmp_path / "tokenizer"))


@pytest.mark.parametrize(
    ("model", "asked", "distilled", "guided", "written"),
    [
        # Classifier-free guidance alone, as `guidance_scale`.
        (stable_diffusion_3, {}, set(), True, (7.0, None)),
        (stable_diffusion_3, {"cfg_scale": 3.0}, set(), True, (3.0, None)),
        (stable_diffusion_3, {"cfg_scale": 1.0}, set(), False, (1.0, None)),
        # The same, as `true_cfg_scale`.
        (qwen_image, {}, set(), True, (4.0, None)),
        (qwen_image, {"cfg_scale": 2.5, "negative_prompt": "blue"}, set(), True, (2.5, None)),
        (qwen_image, {"cfg_scale": 1.0}, set(), False, (1.0, None)),
        (schnell, {}, set(), False, (1.0, None)),
        # Both.
        (flux, {}, {3.5}, False, (3.5, None)),
        (flux, {"cfg_scale": 2.0, "negative_prompt": "blue"}, {2.0}, False, (2.0, None)),
        (flux, {"cfg_scale": 1.0, "distilled_cfg_scale": 4.0}, {4.0}, False, (1.0, 4.0)),
        (flux, {"cfg_scale": 2.0, "distilled_cfg_scale": 4.0}, {4.0}, True, (2.0, 4.0)),
        (flux, {"distilled_cfg_scale": 4.0}, {4.0}, False, (1.0, 4.0)),
    ],
    indirect=["model"],
)
def test_a_scale_reaches_the_guidance_that_it_means(
    model: Model,
    profile: Profile,
    asked: dict[str, Any],
    distilled: set[float],
    guided: bool,
    written: tuple[float, float | None],
) -> None:
    """The denoiser sees it, or computes each step twice, and the picture's text makes it again."""
    picture = model.picture(profile, **asked)

    assert model.scales == distilled
    assert model.passes == (2 * STEPS if guided else STEPS)
    assert (picture.parameters.cfg_scale, picture.parameters.distilled_cfg_scale) == written
    read = parse_infotext(format_infotext(picture.parameters))
    [again] = generate(profile, model.pipe, [read])
    assert again.image.tobytes() == picture.image.tobytes()


@pytest.mark.parametrize("model", [qwen_image], indirect=True)
def test_in_a_batch_a_space_stands_for_each_missing_negative_prompt(model: Model) -> None:
    """The others are left as they are."""
    asked = ["", "blue", ""]
    assert negative_prompts(model.pipe, asked, {"true_cfg_scale": 4.0}) == [" ", "blue", " "]


@pytest.mark.parametrize("model", [qwen_image, flux], indirect=True)
def test_the_profiles_scale_holds_where_the_request_names_none(
    model: Model, profile: Profile
) -> None:
    """It is the CFG scale of Qwen-Image and the distilled one of FLUX."""
    scaled = profile.model_copy(update={"guidance_scale": 2.0})

    assert model.picture(scaled).parameters.cfg_scale == 2.0
    assert model.picture(scaled, cfg_scale=3.0).parameters.cfg_scale == 3.0


@pytest.mark.parametrize(
    ("model", "asked", "notes"),
    [
        (
            flux,
            {"negative_prompt": "blue"},
            [
                "The negative prompt has no effect: this model needs a CFG scale above 1 for it "
                "in addition to a Distilled CFG Scale"
            ],
        ),
        (
            qwen_image,
            {"negative_prompt": "blue", "cfg_scale": 1.0, "distilled_cfg_scale": 3.5},
            [
                "The negative prompt has no effect: this model needs a CFG scale above 1 for it",
                "Distilled CFG Scale 3.5 has no effect: this model takes no such setting",
            ],
        ),
        (flux, {"negative_prompt": "blue", "cfg_scale": 2.0, "distilled_cfg_scale": 3.5}, []),
    ],
    indirect=["model"],
)
def test_what_guides_nothing_is_said(
    model: Model, profile: Profile, asked: dict[str, Any], notes: list[str]
) -> None:
    """A negative prompt without a pass for it, and a scale that the model does not have."""
    assert list(model.picture(profile, **asked).notes) == notes
