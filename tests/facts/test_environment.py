"""Environment variables: what is recorded, and what must not be."""

import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.facts import environment

SECRET = "hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345"
NAMES = st.sampled_from(
    [
        *("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT", "PYTORCH_MPS_TOKEN", "HF_HOME"),
        *("MPSDOCTOR_ENVIRONMENT", "CONDA_TOKEN", "TRANSFORMERS_CACHE", "AWS_SECRET_ACCESS_KEY"),
    ]
)


def test_what_a_check_reads_is_recorded() -> None:
    """PyTorch's and the cache's variables have values; the shell's are not recorded."""
    environ = {"PYTORCH_MPS_FAST_MATH": "0", "HF_HOME": "/Volumes/x", "PATH": "/bin", "HOME": "/"}
    assert environment.read(environ, {}).variables == {
        "HF_HOME": "/Volumes/x",
        "PYTORCH_MPS_FAST_MATH": "0",
    }


@given(st.dictionaries(NAMES, st.just(SECRET) | st.just(f"https://me:{SECRET}@proxy/")))
def test_a_token_is_present_and_never_more(environ: dict[str, str]) -> None:
    """The text of a token is not recorded, whatever the variable."""
    facts = environment.read(environ, {})
    assert SECRET not in msgspec.json.encode(facts).decode()
    assert environ.keys() - {"AWS_SECRET_ACCESS_KEY"} == facts.variables.keys()


@given(
    st.dictionaries(st.from_regex(r"(HF|CONDA|MPSDOCTOR)_[A-Z_]*TOKEN", fullmatch=True), st.text())
)
def test_a_variable_that_is_named_like_a_secret_keeps_its_value(environ: dict[str, str]) -> None:
    """A token of unknown form is not recorded either."""
    assert set(environment.read(environ, {}).variables.values()) <= {None}


@given(st.dictionaries(st.text(), st.text()))
def test_any_environment_can_be_recorded(environ: dict[str, str]) -> None:
    """Only existing variables are recorded, and no value is changed."""
    for name, value in environment.read(environ, {}).variables.items():
        assert value in (None, environ[name])


def test_what_changed_after_the_start_is_late_once_torch_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before torch is imported, no variable is late."""
    environ = {"PYTORCH_ENABLE_MPS_FALLBACK": "1", "PYTORCH_MPS_FAST_MATH": "1", "PYTORCH_X": "1"}
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert environment.read(environ, {}).set_late == ()
    monkeypatch.setitem(sys.modules, "torch", sys)
    late = environment.read(environ, {"PYTORCH_MPS_FAST_MATH": "1"}).set_late
    assert late == ("PYTORCH_ENABLE_MPS_FALLBACK",)


def test_this_process_knows_what_it_started_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default, the environment at the start comes from the operating system."""
    monkeypatch.setitem(sys.modules, "torch", sys)
    assert environment.read({"PYTORCH_MPS_NEW": "1"}).set_late == ("PYTORCH_MPS_NEW",)
