"""The variables that the agent gets, because launchd does not read a shell's files."""

from collections.abc import Mapping

from mpsdoctor.constants import ENV_PREFIX
from mpsdoctor.facts.environment import is_secret

# Where models are and how they are downloaded, by huggingface_hub's documentation.
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
    """The variables of `profile`, and those of `shell` that launchd does not have.

    If they disagree, the shell's value counts, as for `mpsdoctor watch` in a terminal. PyTorch's
    variables come from the profile alone. Secrets are left out: every program of the user can read
    the property list. So are values that a property list cannot contain.
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
