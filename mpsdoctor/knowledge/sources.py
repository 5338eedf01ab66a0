"""The web addresses of sources."""

import re
from typing import Final

_REPOSITORIES: Final = {"pytorch": "pytorch/pytorch", "diffusers": "huggingface/diffusers"}
_DOCS: Final = {
    "pytorch": "https://docs.pytorch.org/docs/stable/{}.html",
    "diffusers": "https://huggingface.co/docs/diffusers/{}",
}


def address(source: str) -> str | None:
    """The address of an issue, a page of documentation or an address itself; otherwise None.

    GitHub redirects from an issue's address to a pull request with the same number.
    """
    if source.startswith("https://"):
        return source
    if issue := re.fullmatch(r"(\S+) #(\d+)", source):
        return f"https://github.com/{_REPOSITORIES.get(issue[1], issue[1])}/issues/{issue[2]}"
    if (page := re.fullmatch(r"(\w+) docs: (\S+)", source)) and page[1] in _DOCS:
        return _DOCS[page[1]].format(page[2])
    return None
