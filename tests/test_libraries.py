"""Importing the libraries that compute pictures."""

import subprocess
import sys
from types import ModuleType

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.install_commands import SEE_CHECK
from mpsdoctor.libraries import require_libraries

pytestmark = pytest.mark.heavy

QUIET = """
import os, warnings
from mpsdoctor.libraries import require_quiet_libraries, silence_libraries
require_quiet_libraries("json")
assert os.environ["TRANSFORMERS_VERBOSITY"] == "error"
import diffusers.utils.logging as d, transformers.utils.logging as t
assert not d.is_progress_bar_enabled() and not t.is_progress_bar_enabled()
silence_libraries()
assert (d.get_verbosity(), t.get_verbosity()) == (50, 50)
warnings.warn("nothing that happens")
"""


class Broken(ModuleType):
    """A module whose names cannot be imported."""

    def __init__(self, error: Exception) -> None:
        super().__init__("diffusers")
        self.error = error

    def __getattr__(self, name: str) -> object:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [ImportError("no DiffusionPipeline"), OSError("dlopen failed"), RuntimeError("a lazy import")],
)
def test_a_library_that_cannot_be_imported_is_an_error(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it raises; pip is not named, because it takes a PyTorch that may lack mps."""
    for name in ("torch", "transformers"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "diffusers", Broken(error))

    with pytest.raises(MpsDoctorError) as refused:
        require_libraries()

    assert str(refused.value) == (
        "PyTorch or Diffusers is missing, or cannot be imported\n"
        f"{type(error).__name__}: {error}\n{SEE_CHECK}"
    )


@pytest.mark.parametrize("missing", ["torch", "transformers", "scipy"])
def test_each_of_them_has_to_be_there(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were asked for in addition, too."""
    for name in ("torch", "transformers", "scipy"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(MpsDoctorError) as refused:
        require_libraries("scipy")

    assert missing in refused.value.detail
    assert "pip" not in refused.value.hint


def test_mpsdoctors_own_processes_are_quiet() -> None:
    """No advice, no loading bars, and no warnings if nothing is rendered."""
    run = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True, check=False)

    assert ("", "", 0) == (run.stdout, run.stderr, run.returncode)
