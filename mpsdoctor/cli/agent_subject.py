"""Where the installed agent's daemon looks, which another terminal's variables do not change."""

import os
from pathlib import Path

from mpsdoctor.cli.examination import subject_of
from mpsdoctor.paths import expand, profile_file
from mpsdoctor.profile import subject
from mpsdoctor.service import plist
from mpsdoctor.service.examine import chosen


def agents_hot_folder(content: bytes | None) -> Path:
    """The hot folder of the daemon that the property list `content` starts.

    Where there is none, it is that of a daemon started here.
    """
    if content is None:
        return _expanded(subject_of(None).hot_folder)
    options, variables = plist.arguments(content), plist.variables(content)
    if named := chosen(options, "--dir"):
        return expand(named)
    profile = chosen(options, "--profile") or profile_file(variables)
    return _expanded(subject.read(profile, variables).hot_folder)


def _expanded(hot_folder: str) -> Path:
    """Without a home directory the `~` stays, and nothing is found there."""
    return Path(os.path.abspath(os.path.expanduser(hot_folder)))  # noqa: PTH100, PTH111 (no raise)
