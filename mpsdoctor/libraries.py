"""The libraries that compute pictures: there or not, and how much they say.

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

    Raises MpsDoctorError where one is absent or does not start.
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
    """The same for mpsdoctor's own processes, without the libraries' advice and loading bars.

    Transformers advises on packages that nothing here needs when it is imported.
    """
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    require_libraries(*more)
    import diffusers.utils.logging
    import transformers.utils.logging

    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()


def silence_libraries() -> None:
    """For a process that renders nothing, so that their warnings are about nothing that happens."""
    import diffusers.utils.logging
    import transformers.utils.logging

    diffusers.utils.logging.set_verbosity(_SILENT)
    transformers.utils.logging.set_verbosity(_SILENT)
    warnings.simplefilter("ignore")
