"""What a model makes of a prompt's words."""

from diffusers import DiffusionPipeline
from msgspec.structs import replace

from mpsdoctor.api import TunedProfile
from mpsdoctor.profile.settings import Profile
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.notes import notes_on
from mpsdoctor.resources import embedded_model


def test_words_that_the_embedded_model_was_not_taught_are_named(profile: Profile) -> None:
    """Of prompt and negative prompt, a few of many; a prompt of its own words has no note."""
    pipe = TunedProfile(**profile.model_dump()).load_pipeline()
    unicorn = Request(
        prompt="A unicorn in the rain", negative_prompt="one two three four five six seven"
    )

    prompt, negative = notes_on(pipe, unicorn, {"guidance_scale": 4.0})

    assert "The prompt has words that mean nothing to this model" in prompt
    assert "simple shapes: unicorn, rain; another model: `mpsdoctor check --model ID`" in prompt
    assert ": two, three, four, five, six and 1 more;" in negative
    from_its_folder = DiffusionPipeline.from_pretrained(embedded_model())
    assert (prompt,) == notes_on(from_its_folder, replace(unicorn, negative_prompt=""), {})

    plain = Request(prompt="a Big purple moon, left of a grey plus sign.")
    assert () == notes_on(pipe, plain, {"guidance_scale": 4.0})
