"""How every test runs."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# No deadlines: the code cannot help a busy machine. Under CI the examples are always the same.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# Child processes inherit what is ignored: SIGINT by `command &` in a script, SIGHUP by nohup.
for number, disposition in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
    (signal.SIGTERM, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, disposition)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved Stable Diffusion pipeline in safetensors."""
    from tests.support.pipelines import stable_diffusion

    folder = tmp_path_factory.mktemp("models")
    stable_diffusion(folder / "tokenizer").save_pretrained(folder / "tiny")
    return folder / "tiny"
