"""The tokenizer knows the words, and survives any others."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import CLIPTokenizer

from mpsdoctor.shapes.captions import vocabulary
from mpsdoctor.shapes.training.tokenizer import MAX_LENGTH, write_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CLIPTokenizer:
    folder: Path = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return CLIPTokenizer.from_pretrained(folder)


def test_words_are_single_tokens(tokenizer: CLIPTokenizer) -> None:
    """Every word of the captions is one token between the two that enclose the text."""
    counts = {word: len(tokenizer(word.upper()).input_ids) for word in vocabulary()}
    assert set(counts.values()) == {3}


@given(st.text())
def test_any_text_has_tokens(tokenizer: CLIPTokenizer, text: str) -> None:
    """Whatever the text, its ids are in the vocabulary and fit the text encoder."""
    ids = tokenizer(text, padding="max_length", truncation=True).input_ids
    assert len(ids) == MAX_LENGTH == tokenizer.model_max_length
    assert all(0 <= i < len(tokenizer) for i in ids)


def test_unknown_words_are_told_apart(tokenizer: CLIPTokenizer) -> None:
    """Words outside the captions fall back to pieces, not to one unknown token."""
    assert tokenizer("a zebra").input_ids != tokenizer("a giraffe").input_ids
