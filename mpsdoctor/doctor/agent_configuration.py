"""The agent's property list for this terminal, and the hot folder of an installed agent."""

import os
import sys
from pathlib import Path

from mpsdoctor.constants import ENV_PREFIX
from mpsdoctor.paths import PROFILE_FILE_VARIABLE, expand, find_profile, profile_file
from mpsdoctor.profile import quick_settings
from mpsdoctor.service import plist
from mpsdoctor.service.agent import Agent
from mpsdoctor.service.environment import snapshot
from mpsdoctor.service.examine import chosen
from mpsdoctor.version import __version__

_HOT_FOLDER_VARIABLE = f"{ENV_PREFIX}HOT_FOLDER"


def agents_plist(agent: Agent, options: tuple[str, ...]) -> bytes:
    """The property list for a daemon with `options`, from the profile and this terminal.

    It names the hot folder: the daemon keeps it until the agent is installed again, even if the
    profile changes. A profile that is missing or not valid counts as an empty one.
    """
    profile = find_profile(chosen(options, "--profile"), os.environ)
    settings = quick_settings.read(profile, os.environ)
    hot_folder = chosen(options, "--dir") or settings.hot_folder
    # launchd runs it in /, and does not expand ~.
    places = {_HOT_FOLDER_VARIABLE: str(_expanded(hot_folder))}
    if named := os.environ.get(PROFILE_FILE_VARIABLE):
        places[PROFILE_FILE_VARIABLE] = str(_expanded(named))
    environment = snapshot(settings.environment, {**os.environ, **places})
    return plist.render(agent, sys.executable, options, environment, __version__, _content(profile))


def agents_hot_folder(content: bytes | None) -> Path:
    """The hot folder of the daemon that the property list `content` starts.

    This terminal's variables do not change it. Without a list, it is that of a daemon started here.
    """
    if content is None:
        return _expanded(quick_settings.read(find_profile(None, os.environ), os.environ).hot_folder)
    options, variables = plist.arguments(content), plist.variables(content)
    if named := chosen(options, "--dir") or variables.get(_HOT_FOLDER_VARIABLE):
        return expand(named)
    profile = chosen(options, "--profile") or profile_file(variables)
    return _expanded(quick_settings.read(profile, variables).hot_folder)


def _content(profile: Path | None) -> bytes:
    try:
        return profile.read_bytes() if profile else b""
    except OSError:
        return b""


def _expanded(path: str | Path) -> Path:
    """Without a home directory the `~` stays, and nothing is found in it."""
    return Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111 (no raise)
