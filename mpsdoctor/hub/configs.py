"""The small config files of a model on a hub, without its weights."""

from pathlib import Path

from mpsdoctor.facts.disk import model_index
from mpsdoctor.hub.client import describe

NAMES = (model_index.FILE, "config.json", "scheduler_config.json", "tokenizer_config.json")


def fetch(model: str, folder: Path) -> Path:
    """Downloads them into a new folder in `folder`, and returns that folder.

    Hugging Face's cache is not used, because they would look like an incomplete model there.

    Raises the errors that `hub.errors.explained` explains.
    """
    from huggingface_hub import hf_hub_download

    listing = describe(model)
    own = folder / model.replace("/", "--")
    for file in listing.files:
        if file.path.rpartition("/")[2] in NAMES and file.path.count("/") <= 1:
            hf_hub_download(model, file.path, revision=listing.commit, local_dir=own)
    return own
