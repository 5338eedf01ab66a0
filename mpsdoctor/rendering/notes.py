"""Notes for the user: which parts of a request have no effect on this pipeline."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.knowledge.recommended import NO_GUIDANCE
from mpsdoctor.prompts.request import Request
from mpsdoctor.rendering.guidance import guidance_of, heeds_negative_prompt
from mpsdoctor.rendering.introspection.model import model_of
from mpsdoctor.rendering.introspection.signature import arguments
from mpsdoctor.shapes.captions import unknown_words

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline

_NAMED = 5
"""The most words that a note lists, so that it stays readable."""


def notes_on(
    pipe: "DiffusionPipeline", request: Request, settings: Mapping[str, Any]
) -> tuple[str, ...]:
    """One sentence per note, without a full stop. The pipeline is called with `settings`."""
    notes = list(_on_words(pipe, "prompt", request.prompt))
    if request.negative_prompt and heeds_negative_prompt(pipe, settings):
        notes += _on_words(pipe, "negative prompt", request.negative_prompt)
    elif request.negative_prompt:
        notes.append(f"The negative prompt has no effect: {_why_not_negative(pipe)}")
    return (*notes, *_without_effect(pipe, request), *_on_guidance(pipe, settings))


def _why_not_negative(pipe: "DiffusionPipeline") -> str:
    if "negative_prompt" not in arguments(pipe):
        return "this model takes none"
    beside = " in addition to a Distilled CFG Scale" if guidance_of(pipe).distilled else ""
    return f"this model needs a CFG scale above 1 for it{beside}"


def _without_effect(pipe: "DiffusionPipeline", request: Request) -> Iterator[str]:
    accepted, guidance = arguments(pipe), guidance_of(pipe)
    is_none = request.cfg_scale is not None and request.cfg_scale <= NO_GUIDANCE
    cfg_scale = None if is_none else request.cfg_scale
    for name, taken, value in (
        ("Steps", "num_inference_steps" in accepted, request.steps),
        ("CFG scale", guidance.takes_cfg_scale(request), cfg_scale),
        ("Distilled CFG Scale", bool(guidance.distilled), request.distilled_cfg_scale),
        ("The width", "width" in accepted, request.width),
        ("The height", "height" in accepted, request.height),
    ):
        if value is not None and not taken:
            yield f"{name} {value:g} has no effect: this model takes no such setting"


def _on_guidance(pipe: "DiffusionPipeline", settings: Mapping[str, Any]) -> Iterator[str]:
    """A pipeline with `true_cfg_scale` ignores `guidance_scale` unless the model is distilled."""
    guidance, scale = guidance_of(pipe), settings.get("guidance_scale", NO_GUIDANCE)
    if scale > NO_GUIDANCE and "guidance_scale" not in (guidance.cfg, guidance.distilled):
        yield f"guidance_scale {scale:g} has no effect: this model is guided by {guidance.cfg}"


def _on_words(pipe: "DiffusionPipeline", name: str, text: str) -> Iterator[str]:
    yield from _long_prompt(pipe, name, text)
    if model_of(pipe) == EMBEDDED_MODEL and (words := unknown_words(text)):
        more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
        yield (
            f"The {name} has words that mean nothing to this model, which draws simple shapes: "
            f"{', '.join(words[:_NAMED])}{more}; another model: `mpsdoctor check --model ID`"
        )


def _long_prompt(pipe: "DiffusionPipeline", name: str, text: str) -> list[str]:
    """A model can have several text encoders, and one can read more than another."""
    lengths = dict.fromkeys(_length(pipe, part, text) for part in _tokenizers(pipe))
    whole = any(has <= reads for has, reads in lengths)
    end = "another text encoder reads all of it" if whole else "the rest has no effect"
    return [
        f"The {name} has {has} tokens, of which a text encoder of this model reads the first "
        f"{reads}; {end}"
        for has, reads in lengths
        if has > reads
    ]


def _tokenizers(pipe: "DiffusionPipeline") -> list[Any]:
    parts = {name: part for name, part in pipe.components.items() if name.startswith("tokenizer")}
    return [
        part
        for name, part in parts.items()
        if part is not None
        and getattr(pipe, name.replace("tokenizer", "text_encoder"), part) is not None
    ]


def _length(pipe: "DiffusionPipeline", tokenizer: Any, text: str) -> tuple[int, int]:  # noqa: ANN401
    """Tokens of the text, including those that mark its start and end, and how many are read.

    CLIP reads 77. Other text encoders have no limit themselves, but the pipeline sets one.
    """
    has = len(tokenizer(text, truncation=False, verbose=False).input_ids)
    limit = arguments(pipe).get("max_sequence_length")
    if limit is None or type(tokenizer).__name__.startswith("CLIP"):
        return has, int(tokenizer.model_max_length)
    return has, int(limit.default)
