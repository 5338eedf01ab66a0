"""Reads and writes lines of `Key: value, Key: value`, as A1111 writes them."""

import json
import re
from collections.abc import Iterator, Sequence

Pair = tuple[str, str]
"""Key and value; the key is "" for words that come before any key."""

_KEY = re.compile(r"\s*(\w[\w\s\-/]+):(.*)", re.DOTALL)
_OPEN, _CLOSE = "[{", "]}"


def format_pairs(pairs: Sequence[Pair]) -> str:
    """One line. Values with a separator become JSON strings, as in A1111's `infotext_utils`."""
    return ", ".join(f"{key}: {_quote_if_needed(value)}" for key, value in pairs)


def read_pairs(line: str) -> list[Pair]:
    """The pairs of a line. Their values are as written; `unquote` decodes them.

    Commas do not separate pairs inside a JSON string or inside brackets: Civitai writes JSON
    without quotes around it (`Civitai resources: [{"type": …}]`). Words without a key belong to
    the value before them.
    """
    pairs: list[tuple[str, list[str]]] = []
    for piece in _pieces(line):
        found = _KEY.match(piece)
        if found:
            pairs.append((" ".join(found[1].split()), [found[2].strip()]))
        elif not pairs:
            pairs.append(("", [piece.strip()]))
        elif piece.strip():
            pairs[-1][1].append(piece.strip())
    return [(key, ", ".join(parts)) for key, parts in pairs]


def quote(text: str) -> str:
    """As a JSON string, on one line."""
    return json.dumps(text, ensure_ascii=False)


def quoted(value: str) -> str | None:
    """The content of a JSON string; None if the value is not one."""
    if not (len(value) > 1 and value[0] == value[-1] == '"'):
        return None
    try:
        return str(json.loads(value))
    except ValueError:
        return None


def unquote(value: str) -> str:
    """The content of a JSON string; any other value unchanged."""
    text = quoted(value)
    return value if text is None else text


def _quote_if_needed(value: str) -> str:
    plain = value and value == value.strip() and not set(value) & set(',:\n\r"[]{}')
    return value if plain else quote(value)


def _pieces(line: str) -> Iterator[str]:
    """The text between commas. If quotes or brackets are not closed, every comma separates."""
    start, ends = 0, _commas(line)
    if ends is None:
        yield from line.split(",")
        return
    for end in (*ends, len(line)):
        yield line[start:end]
        start = end + 1


def _commas(line: str) -> list[int] | None:
    """Positions of commas that separate pairs; None if a quote or bracket is not closed."""
    commas: list[int] = []
    depth, quoted, escaped = 0, False, False
    for place, character in enumerate(line):
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character in _OPEN:
            depth += 1
        elif character in _CLOSE:
            depth -= 1
        elif character == "," and depth <= 0:
            commas.append(place)
    return None if quoted or depth else commas
