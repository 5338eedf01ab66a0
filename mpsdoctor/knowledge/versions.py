"""Turns text into versions that can be compared."""

from packaging.version import Version


def parse(text: str | None) -> Version | None:
    """The release that `text` belongs to, or None if it is not a version.

    A development, pre- or local build counts as its release: `2.13.0+cpu` is 2.13.0 and
    `2.10.0.dev20251008` is 2.10.0.
    """
    try:
        return Version(Version(text or "").base_version)
    except ValueError:
        return None
