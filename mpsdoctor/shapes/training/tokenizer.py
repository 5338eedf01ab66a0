"""The embedded model's tokenizer: CLIP's byte-level BPE over a small vocabulary."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mpsdoctor.shapes.captions import vocabulary

MAX_LENGTH: Final = 32
"""Tokens a caption may have, the two that enclose it included."""

BOS: Final = "<|startoftext|>"
EOS: Final = "<|endoftext|>"
_END_OF_WORD: Final = "</w>"


def write_tokenizer(folder: Path) -> None:
    """Write the files from which transformers' CLIPTokenizer loads.

    Every word of the captions is one token; other text falls back to bytes.
    """
    from tokenizers.pre_tokenizers import ByteLevel

    merges = _merges(vocabulary())
    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(letter + _END_OF_WORD for letter in letters)]
    tokens += [left + right for left, right in merges]
    tokens += [BOS, EOS]

    special = {"bos_token": BOS, "eos_token": EOS, "unk_token": EOS, "pad_token": EOS}
    config = {
        **special,
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": MAX_LENGTH,
        "do_lower_case": True,
        "add_prefix_space": False,
        "errors": "replace",
    }
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / "vocab.json", {token: index for index, token in enumerate(tokens)})
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _write_json(folder / "special_tokens_map.json", special)
    _write_json(folder / "tokenizer_config.json", config)


def _merges(words: list[str]) -> list[tuple[str, str]]:
    """Learn byte-pair merges until each word is one token."""
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.trainers import BpeTrainer

    tokenizer = Tokenizer(BPE(end_of_word_suffix=_END_OF_WORD))
    tokenizer.pre_tokenizer = Whitespace()
    trainer = BpeTrainer(
        vocab_size=2**16, min_frequency=0, end_of_word_suffix=_END_OF_WORD, show_progress=False
    )
    tokenizer.train_from_iterator(words, trainer)
    return [(left, right) for left, right in json.loads(tokenizer.to_str())["model"]["merges"]]


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
