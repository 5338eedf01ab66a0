"""The libraries that render: there or not, and how much they say."""

import os

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.install_commands import SEE_CHECK


def require_libraries() -> None:
    """Imports torch, Transformers and Diffusers.

    Raises MpsDoctorError where one is absent or does not start.
    """
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
        from diffusers import DiffusionPipeline  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:
        raise MpsDoctorError(
            "What renders is not installed, or does not start",
            detail=f"{type(error).__name__}: {error}",
            hint=SEE_CHECK,
        ) from error


def require_quiet_libraries() -> None:
    """The same for mpsdoctor's own processes, without the libraries' advice and loading bars.

    Transformers advises on packages that nothing here needs when it is imported.
    """
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    require_libraries()
    import diffusers.utils.logging
    import transformers.utils.logging

    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
