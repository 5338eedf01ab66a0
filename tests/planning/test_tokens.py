"""What stands in for a tokenizer."""

from typing import Any

import pytest
import torch

from mpsdoctor.planning.tokens import LONGEST, FullLengthTokenizer


@pytest.mark.parametrize(
    ("config", "most"),
    [
        ({"model_max_length": 77}, 77),
        ({"model_max_length": 512}, 512),
        ({"model_max_length": 513}, 512),
        ({"model_max_length": 10**30}, 512),
        ({"model_max_length": "77"}, 512),
        ({}, 512),
    ],
)
def test_a_prompt_is_as_long_as_the_config_allows(config: dict[str, Any], most: int) -> None:
    """Up to 512 tokens: some configs say 10**30 for no limit."""
    tokenizer = FullLengthTokenizer(config)
    found = tokenizer("a prompt")

    assert (512, most) == (LONGEST, tokenizer.model_max_length)
    assert ((1, most), torch.int64) == (found.input_ids.shape, found.input_ids.dtype)
    assert not found.input_ids.any()
    assert torch.equal(found.attention_mask, torch.ones(1, most, dtype=torch.long))


def test_a_pipelines_own_length_counts_and_stays() -> None:
    """Some pipelines tokenize again without one, to see what was truncated."""
    tokenizer = FullLengthTokenizer({"model_max_length": 77})

    assert (2, 300) == tokenizer(["a", "b"], padding=True, max_length=300).input_ids.shape
    assert (1, 300) == tokenizer("a").input_ids.shape


def test_it_answers_what_pipelines_ask() -> None:
    """Chat templates, lengths of texts, and words that are special tokens."""
    tokenizer = FullLengthTokenizer({})

    conversation = [{"role": "user", "content": "a b"}, {"role": "system", "content": "c"}]
    assert "a b c" == tokenizer.apply_chat_template(conversation, tokenize=False)
    assert [0, 0] == tokenizer.encode("eight or", add_special_tokens=False)
    assert ["a", "b"] == tokenizer.tokenize("a b")
    assert ["", "", ""] == tokenizer.batch_decode(torch.zeros(3, 5))
    assert ("right", 0, 0, 0, {}) == (
        tokenizer.padding_side,
        tokenizer.bos_token_id,
        tokenizer.eos_token_id,
        tokenizer.pad_token_id,
        tokenizer.added_tokens_encoder,
    )
