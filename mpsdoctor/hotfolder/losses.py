"""How often a picture is tried whose worker is lost. Pure."""

from collections.abc import Sequence
from typing import Final, Literal

MAX_ATTEMPTS: Final = 3


def verdict(attempts: int, signatures: Sequence[str]) -> Literal["retry", "fail"]:
    """After three attempts, or the same crash twice, another would end the same way.

    `attempts` are the ones that have begun; `signatures` say how some of them ended.
    """
    same_twice = len(set(signatures)) < len(signatures)
    return "fail" if attempts >= MAX_ATTEMPTS or same_twice else "retry"
