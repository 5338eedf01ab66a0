"""A reader understands each sentence the first time."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PLACES = ("mpsdoctor", "docs", "profiles", "launchd", "tests", ".github", ".")
SUFFIXES = (".md", ".py", ".toml", ".yml", ".plist", ".cfg")

INSTEAD = {
    r"\banew\b": "again",
    r"\bmend(s|ed|ing|able)?\b": "fix",
    r"\bslips?\b": "typo, usage error",
    r"(?<!\bthere )\bis no\b(?! (longer|more)\b)": "is not a",
    r"\bcannot be had\b": "is unavailable",
    r"\b(go|goes|went|going) on\b": "continue",
    r"\bbe rid of\b": "remove",
    r"\botherwise than\b": "differently from",
    r"\bput down\b": "stopped",
    r"\bBy name\.": "a sentence",
}
"""Words that a reader has to translate, in names too, and what a maintainer would write."""

MOST_WORDS = 24
"""Of a sentence. What stands in backticks counts as one word."""

_FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`+[^`]+`+")
_END = re.compile(r"(?<=[.!?:])[\"”’)*_]*\s+(?=[^a-z])|\n\s*\n|\n(?=\s*(?:[*|-]|\d+\.)\s)")


@cache
def _texts() -> dict[Path, str]:
    """Every text of the project but this one, which has to name the words."""
    paths = sorted(
        path
        for place in PLACES
        for path in (ROOT / place).glob("*" if place == "." else "**/*")
        if path.suffix in SUFFIXES and path.is_file() and path != Path(__file__)
    )
    return {path.relative_to(ROOT): path.read_text("utf-8") for path in paths}


def _prose(path: Path, text: str) -> Iterator[tuple[str, str]]:
    """The paragraphs of a document, the strings of a module or of a table, each with its place."""
    if path.suffix == ".md":
        yield from _paragraphs(MarkdownIt().enable("table").parse(text))
    elif path.suffix == ".py":
        yield from _literals(ast.parse(text))
    else:
        yield from _values(tomllib.loads(text), "")


def _paragraphs(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    for token in tokens:
        if token.type == "inline" and token.map:
            parts = (_inline(child) for child in token.children or ())
            yield str(token.map[0] + 1), "".join(parts)


def _inline(token: Token) -> str:
    return {"code_inline": "X", "softbreak": " "}.get(token.type, token.content)


def _literals(tree: ast.Module) -> Iterator[tuple[str, str]]:
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in joined for part in node.values}
    for node in joined:
        yield str(node.lineno), "".join(_literal(part) for part in node.values)
    for constant in ast.walk(tree):
        if isinstance(constant, ast.Constant) and id(constant) not in parts:
            yield str(constant.lineno), _literal(constant)


def _literal(node: ast.expr) -> str:
    """What is put in counts as one word."""
    if not isinstance(node, ast.Constant):
        return "X"
    return node.value if isinstance(node.value, str) else ""


def _values(value: Any, place: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield place, value
        case dict():
            for key, inner in value.items():
                yield from _values(inner, f"{place}.{key}")
        case list():
            for index, inner in enumerate(value):
                yield from _values(inner, f"{place}[{index}]")
        case _:
            return


def _sentences(text: str) -> list[str]:
    return _END.split(_CODE.sub("X", _FENCE.sub("\n\n", text)))


def _length(sentence: str) -> int:
    return len([word for word in sentence.split() if re.search(r"\w", word)])


@pytest.mark.parametrize("word", INSTEAD)
def test_no_riddles(word: str) -> None:
    """No text uses a word that a reader has to translate."""
    pattern = re.compile(word, re.IGNORECASE)
    found = [
        f"{path}:{number}: {line.strip()}"
        for path, text in _texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line.replace("_", " "))
    ]

    assert not found, f"write “{INSTEAD[word]}”:\n" + "\n".join(found)


def test_sentences_are_short() -> None:
    """No sentence of the documents, the messages, the help and the tables is a long one."""
    said = {
        path: text
        for path, text in _texts().items()
        if "tests" not in path.parts and path.suffix in {".md", ".py", ".toml"}
    }
    found = [
        f"{path}:{place}: {_length(sentence)}: {' '.join(sentence.split())}"
        for path, text in said.items()
        for place, part in _prose(path, text)
        for sentence in _sentences(part)
        if _length(sentence) > MOST_WORDS
    ]

    assert not found, "\n".join(found)
