"""What of a request has no effect on this pipeline, for the user."""

import inspect
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mpsdoctor.prompts.request import Request

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline


def arguments(pipe: "DiffusionPipeline") -> Mapping[str, inspect.Parameter]:
    """What the pipeline can be called with."""
    return inspect.signature(type(pipe).__call__).parameters


def takes_negative_prompt(pipe: "DiffusionPipeline") -> bool:
    """FLUX heeds one only with a second guidance, `true_cfg_scale`, which is off by default."""
    accepted = arguments(pipe)
    second = accepted.get("true_cfg_scale")
    return "negative_prompt" in accepted and (second is None or second.default > 1)


def notes_on(pipe: "DiffusionPipeline", request: Request) -> tuple[str, ...]:
    """One sentence each, without a full stop."""
    return (*_long_prompts(pipe, request), *_without_effect(pipe, request))


def _without_effect(pipe: "DiffusionPipeline", request: Request) -> Iterator[str]:
    if request.negative_prompt and not takes_negative_prompt(pipe):
        yield "The negative prompt has no effect: this model takes none"
    accepted = arguments(pipe)
    for name, argument, value in (
        ("Steps", "num_inference_steps", request.steps),
        ("CFG scale", "guidance_scale", request.cfg_scale),
        ("The width", "width", request.width),
        ("The height", "height", request.height),
    ):
        if value is not None and argument not in accepted:
            yield f"{name} {value:g} has no effect: this model takes no such setting"


def _long_prompts(pipe: "DiffusionPipeline", request: Request) -> Iterator[str]:
    for name, text in (("prompt", request.prompt), ("negative prompt", request.negative_prompt)):
        if text and (name == "prompt" or takes_negative_prompt(pipe)):
            yield from dict.fromkeys(_cut(pipe, name, text))


def _cut(pipe: "DiffusionPipeline", name: str, text: str) -> list[str]:
    """A model can have several text encoders, of which one reads more than another."""
    lengths = [_length(pipe, part, text) for part in _tokenizers(pipe)]
    whole = any(has <= reads for has, reads in lengths)
    end = "another text encoder reads it whole" if whole else "the rest has no effect"
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
        if part is not None and getattr(pipe, name.replace("tokenizer", "text_encoder"), part)
    ]


def _length(pipe: "DiffusionPipeline", tokenizer: Any, text: str) -> tuple[int, int]:  # noqa: ANN401
    """Tokens of the text, with those that mark its start and end, and how many of them are read.

    CLIP reads 77. What else reads a prompt has no such limit of its own, the pipeline sets it.
    """
    has = len(tokenizer(text, truncation=False, verbose=False).input_ids)
    limit = arguments(pipe).get("max_sequence_length")
    if limit is None or type(tokenizer).__name__.startswith("CLIP"):
        return has, int(tokenizer.model_max_length)
    return has, int(limit.default)
