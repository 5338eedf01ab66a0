"""Check a Mac for PyTorch's `mps` device, tune Diffusers for it, render from a hot folder."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.version import __version__

if TYPE_CHECKING:
    from mpsdoctor.rendering.tuned import TunedProfile

__all__ = ["MpsDoctorError", "__version__", "load_profile"]


def load_profile(path: str | Path | None = None, **settings: Any) -> "TunedProfile":  # noqa: ANN401
    """The profile that `mpsdoctor check` wrote, or the one at `path`.

    `settings` override it, and so do environment variables such as `MPSDOCTOR_DTYPE`.

    Raises MpsDoctorError where there is no profile, or a key or value is not understood.
    """
    from mpsdoctor.paths import expand, profile_file
    from mpsdoctor.profile.loading import load
    from mpsdoctor.rendering.tuned import TunedProfile

    file = profile_file(os.environ) if path is None else expand(path)
    return load(TunedProfile, file, os.environ, settings).profile
