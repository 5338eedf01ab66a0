"""Which model a pipeline was loaded from."""

from pathlib import Path
from typing import TYPE_CHECKING

from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.resources import is_embedded

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline

_REPOSITORY = "models--"


def model_of(pipe: "DiffusionPipeline") -> str | None:
    """The model's name as in a profile: an id, a folder or `shapes`.

    None for a pipeline that was assembled in code or loaded from one file: Diffusers records no
    name for it. A snapshot's folder in Hugging Face's cache means the id of its repository
    (huggingface_hub docs: guides/manage-cache).
    """
    source: str | Path | None = getattr(pipe, "name_or_path", None)
    if not source:
        return None
    if is_embedded(source):
        return EMBEDDED_MODEL
    folder = Path(source)
    repository = folder.parent.parent.name
    if folder.parent.name == "snapshots" and repository.startswith(_REPOSITORY):
        return repository.removeprefix(_REPOSITORY).replace("--", "/", 1)
    return str(source)
