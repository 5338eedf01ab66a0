"""Facts that are collected only on request."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from mpsdoctor.facts.collect import collect
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.disk import storage
from mpsdoctor.facts.records import Facts, ModelState, Place


def test_nothing_asked_is_nothing_known() -> None:
    """No variable is read and no folder touched."""
    facts = collect(ask_torch=False)
    assert (facts.environment, facts.hub_cache) == (None, None)
    assert (facts.hot_folder, facts.model_files) == (None, None)
    assert facts.requirements


def test_everything_asked_round_trips_through_json(tmp_path: Path) -> None:
    """The home is that of the environment; a Mac is asked for the space that it can clear."""

    def run(argv: Sequence[str], timeout: float) -> CommandResult:
        is_storage = tuple(argv[: len(storage.AVAILABLE_COMMAND)]) == storage.AVAILABLE_COMMAND
        return CommandResult(0, "123\n") if is_storage else CommandResult(None)

    facts = collect(
        run=run,
        ask_torch=False,
        kernel="Darwin",
        environ={"HOME": str(tmp_path), "HF_TOKEN": "hf_secret"},
        hot_folder=tmp_path / "Desktop" / "prompts",
        model="org/name",
        dtype="float16",
    )
    assert facts.environment is not None
    assert facts.environment.variables == {"HF_TOKEN": None}
    assert facts.hot_folder is not None
    assert facts.hot_folder.folder.place is Place.USER_FOLDER
    assert facts.hot_folder.folder.volume.available_bytes == 123
    assert facts.hub_cache is not None
    assert facts.hub_cache.folder.path == str(tmp_path.resolve() / ".cache/huggingface/hub")
    assert facts.model_files is not None
    assert (facts.model_files.state, facts.model_files.dtype) == (ModelState.ABSENT, "float16")
    assert facts == msgspec.json.decode(msgspec.json.encode(facts), type=Facts)


def test_collecting_imports_no_torch() -> None:
    """Questions about models and packages are also answered from files."""
    script = (
        "import sys, pathlib; from mpsdoctor.facts.collect import collect; "
        "collect(ask_torch=False, environ={}, hot_folder=pathlib.Path('.'), model='shapes'); "
        "print(sorted({'torch', 'diffusers', 'huggingface_hub'} & sys.modules.keys()))"
    )
    asked = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert asked.stdout.strip() == "[]"
