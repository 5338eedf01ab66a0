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
# The last two are how a sandbox that hides the GPU can be told.
_OTHERS = frozenset({"XDG_CACHE_HOME", "APP_SANDBOX_CONTAINER_ID", "CODEX_SANDBOX"})

# The values that a check reads. Of every other variable only the presence is recorded: an endpoint
# can hold a password, and a setting a prompt.
_READ = re.compile(
    r"PYTORCH_\w*|MTL_\w*|HF_HOME|HF_HUB_CACHE|HUGGINGFACE_HUB_CACHE|XDG_CACHE_HOME"
    r"|TRANSFORMERS_CACHE|HF_HUB_OFFLINE|TRANSFORMERS_OFFLINE"
)
_SECRET_NAME = re.compile(r"TOKEN|KEY|SECRET|PASS|AUTH|CREDENTIAL", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"\b(hf_|api_org_|ghp_|github_pat_|sk-)|://[^/\s]*@", re.IGNORECASE)


def read(environ: Mapping[str, str], at_start: Mapping[str, str] | None = None) -> Environment:
    """The variables in `environ` that matter here; `at_start` stands in for this process's own."""
    names = sorted(name for name in environ if name.startswith(_PREFIXES) or name in _OTHERS)
    late = _changed(environ, at_start) if "torch" in sys.modules else ()
    return Environment(
        variables={name: _public(name, environ[name]) for name in names}, set_late=late
    )


def is_secret(name: str, value: str) -> bool:
    """Whether a variable is, or may hold, what nobody else is to know."""
    return bool(_SECRET_NAME.search(name) or _SECRET_VALUE.search(value))


def _public(name: str, value: str) -> str | None:
    return value if _READ.fullmatch(name) and not is_secret(name, value) else None


def _changed(
    environ: Mapping[str, str], at_start: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """PyTorch's variables that are not as this process found them."""
    if at_start is None:
        try:
            at_start = psutil.Process().environ()
        except (psutil.Error, OSError):
            return ()
    names = (name for name in environ if name.startswith("PYTORCH_") and "MPS" in name)
    return tuple(sorted(name for name in names if environ[name] != at_start.get(name)))
