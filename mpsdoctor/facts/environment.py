"""The environment variables that PyTorch, Metal, Hugging Face and mpsdoctor read."""

import re
import sys
from collections.abc import Mapping

import psutil

from mpsdoctor.constants import ENV_PREFIX
from mpsdoctor.facts.records import Environment

_PREFIXES = (
    "PYTORCH_",
    "MTL_",
    "HF_",
    "HUGGINGFACE_",
    "HUGGING_FACE_",
    "TRANSFORMERS_",
    ENV_PREFIX,
    "CONDA_",
)
# The last two identify sandboxes that hide the GPU.
_OTHERS = frozenset({"XDG_CACHE_HOME", "APP_SANDBOX_CONTAINER_ID", "CODEX_SANDBOX"})

# Checks read the values of these. Only the presence of any other variable is recorded: an endpoint
# can contain a password, and a setting can contain a prompt.
_READ = re.compile(
    r"PYTORCH_\w*|MTL_\w*|HF_HOME|HF_HUB_CACHE|HUGGINGFACE_HUB_CACHE|XDG_CACHE_HOME"
    r"|TRANSFORMERS_CACHE|HF_HUB_OFFLINE|TRANSFORMERS_OFFLINE"
)
_SECRET_NAME = re.compile(r"TOKEN|KEY|SECRET|PASS|AUTH|CREDENTIAL", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"\b(hf_|api_org_|ghp_|github_pat_|sk-)|://[^/\s]*@", re.IGNORECASE)


def read(environ: Mapping[str, str], at_start: Mapping[str, str] | None = None) -> Environment:
    """The variables in `environ` that matter here; `at_start` replaces this process's own."""
    names = sorted(name for name in environ if name.startswith(_PREFIXES) or name in _OTHERS)
    late = _changed(environ, at_start) if "torch" in sys.modules else ()
    return Environment(
        variables={name: _public(name, environ[name]) for name in names}, set_late=late
    )


def is_secret(name: str, value: str) -> bool:
    """Whether a variable is a secret or may contain one."""
    return bool(_SECRET_NAME.search(name) or _SECRET_VALUE.search(value))


def _public(name: str, value: str) -> str | None:
    return value if _READ.fullmatch(name) and not is_secret(name, value) else None


def _changed(
    environ: Mapping[str, str], at_start: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """PyTorch's mps variables that have changed since this process started."""
    if at_start is None:
        try:
            at_start = psutil.Process().environ()
        except (psutil.Error, OSError):
            return ()
    names = (name for name in environ if name.startswith("PYTORCH_") and "MPS" in name)
    return tuple(sorted(name for name in names if environ[name] != at_start.get(name)))
