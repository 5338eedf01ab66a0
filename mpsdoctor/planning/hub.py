"""The small config files of a model on the Hugging Face Hub."""

from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.planning.configs import CONFIG_FILES, INDEX, read_folder

_PATTERNS = [INDEX, *(f"*/{name}" for name in CONFIG_FILES)]


def has_configs(folder: Path) -> bool:
    """Whether the folder has the index and a config file for each component."""
    try:
        return all(read_folder("", folder).components.values())
    except MpsDoctorError:
        return False


def fetch_configs(model: str) -> Path:
    """Downloads them into the Hugging Face cache, a few kilobytes, and says where they lie.

    Raises MpsDoctorError without a network, and for a model that is missing or gated.
    """
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.utils import disable_progress_bars
    except ImportError as error:
        raise MpsDoctorError(
            f"{model} is not on this machine, and what downloads is not installed",
            detail=str(error),
            hint="Install it: pip install 'mpsdoctor[render]'",
        ) from error
    disable_progress_bars()
    try:
        return Path(snapshot_download(model, allow_patterns=_PATTERNS))
    except (OSError, ValueError) as error:
        raise MpsDoctorError(
            f"The config files of {model} cannot be fetched",
            detail=f"{type(error).__name__}: {str(error).strip().splitlines()[0]}",
            hint="Check the name and the network. A gated model needs its licence accepted on its "
            "page, and `hf auth login`. A folder with the config files will do as well.",
        ) from error
