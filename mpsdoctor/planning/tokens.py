"""Stands in for a tokenizer, without its files: all prompts have the full length."""

from typing import Any

import torch
from transformers import BatchEncoding

LONGEST = 512
"""Tokens, if neither the pipeline nor the tokenizer's config has a limit."""

_LETTERS_PER_TOKEN = 4


class FullLengthTokenizer:
    """Answers every text with as many tokens as the pipeline allows."""

    def __init__(self, config: dict[str, Any]) -> None:
        most = config.get("model_max_length")
        self.model_max_length = most if isinstance(most, int) and most <= LONGEST else LONGEST
        self.padding_side = "right"
        self.bos_token_id = self.eos_token_id = self.pad_token_id = 0
        self.added_tokens_encoder: dict[str, int] = {}
        self._length = self.model_max_length

    def __call__(
        self, text: str | list[str], *_: object, max_length: int | None = None, **__: object
    ) -> BatchEncoding:
        """Ids and mask (prompts, tokens); without a `max_length`, as long as those before."""
        self._length = max_length or self._length
        shape = (1 if isinstance(text, str) else len(text), self._length)
        ids, mask = torch.zeros(shape, dtype=torch.long), torch.ones(shape, dtype=torch.long)
        return BatchEncoding({"input_ids": ids, "attention_mask": mask})

    def apply_chat_template(self, messages: list[dict[str, str]], **_: object) -> str:
        """The conversation as text."""
        return " ".join(str(message["content"]) for message in messages)

    def encode(self, text: str, **_: object) -> list[int]:
        """About as many ids as a real tokenizer would give."""
        return [0] * (len(text) // _LETTERS_PER_TOKEN)

    def tokenize(self, text: str, **_: object) -> list[str]:
        """No special tokens are among them."""
        return text.split()

    def batch_decode(self, ids: torch.Tensor, **_: object) -> list[str]:
        """The text that pipelines print when they truncate a prompt."""
        return [""] * len(ids)
