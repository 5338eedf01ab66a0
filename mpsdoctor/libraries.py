"""Imports the libraries that compute pictures, and silences them.

None of them is imported before one of these functions is called.
"""

import importlib
import os
import warnings

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.install_commands import SEE_CHECK

_SILENT = 50


def require_libraries(*more: str) -> None:
    """Imports torch, Transformers, Diffusers and `more`.

    Raises MpsDoctorError if one is missing or fails to import.
    """
    try:
        for name in ("torch", "transformers", *more):
            importlib.import_module(name)
        from diffusers import DiffusionPipeline  # noqa: F401 (by this name, not when imported)
    except (ImportError, OSError, RuntimeError) as error:
        raise MpsDoctorError(
            "PyTorch or Diffusers is missing, or cannot be imported",
            detail=f"{type(error).__name__}: {error}",
            hint=SEE_CHECK,
        ) from error


def require_quiet_libraries(*more: str) -> None:
    """Like `require_libraries`, without the libraries' advice and loading bars.

    When it is imported, Transformers recommends packages that nothing here needs.
    """
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    require_libraries(*more)
    import diffusers.utils.logging
    import transformers.utils.logging

    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()


def silence_libraries() -> None:
    """For a process that renders nothing: the libraries' warnings do not apply to it."""
    import diffusers.utils.logging
    import transformers.utils.logging

    diffusers.utils.logging.set_verbosity(_SILENT)
    transformers.utils.logging.set_verbosity(_SILENT)
    warnings.simplefilter("ignore")
