"""Check a Mac for PyTorch's `mps` device, tune Diffusers for it, render from a hot folder."""

from typing import TYPE_CHECKING, Any

from mpsdoctor.errors import MpsDoctorError, MpsDoctorWarning
from mpsdoctor.version import __version__

if TYPE_CHECKING:
    from mpsdoctor.api import Profile, TunedProfile, check, load_profile

__all__ = [
    "MpsDoctorError",
    "MpsDoctorWarning",
    "Profile",
    "TunedProfile",
    "__version__",
    "check",
    "load_profile",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Imports slow modules when they are first used (PEP 562)."""
    if name in __all__:
        from mpsdoctor import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names."""
    return __all__
