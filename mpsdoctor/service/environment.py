"""The variables that the agent gets: launchd reads no shell's files."""

from collections.abc import Mapping

from mpsdoctor.constants import ENV_PREFIX
from mpsdoctor.facts.environment import is_secret

# What decides where models lie and how they are reached, by huggingface_hub's documentation.
_FROM_SHELL = frozenset(
    {
        "HF_ENDPOINT",
        "HF_HOME",
        "HF_HUB_CACHE",
        "HUGGINGFACE_HUB_CACHE",
        "TRANSFORMERS_OFFLINE",
        "XDG_CACHE_HOME",
    }
)
_OFFLINE = {"HF_HUB_OFFLINE": "1"}  # the daemon downloads nothing


def snapshot(profile: Mapping[str, str], shell: Mapping[str, str]) -> dict[str, str]:
    """What `profile` sets and what `shell` has of the settings that launchd does not know.

    Where they disagree the shell's counts, as for `mpsdoctor watch` in a terminal; PyTorch's
    variables come from the profile alone. What is, or may hold, a secret is left out, as every
    program of the user can read the property list, and what that could not hold.
    """
    inherited = {
        name: value
        for name, value in shell.items()
        if name in _FROM_SHELL or name.startswith(ENV_PREFIX)
    }
    merged = {**profile, **inherited, **_OFFLINE}
    return {
        name: value
        for name, value in sorted(merged.items())
        if value.isprintable() and not is_secret(name, value)
    }
