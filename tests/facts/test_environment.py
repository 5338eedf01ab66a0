"""Environment variables: what is recorded, and what must not be."""

import sys

import msgspec
import psutil
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


RECORDED = {
    "APP_SANDBOX_CONTAINER_ID": None,
    "CODEX_SANDBOX": None,
    "CONDA_PREFIX": None,
    "HF_ENDPOINT": None,
    "HF_HOME": "v",
    "HF_HUB_CACHE": "v",
    "HF_HUB_OFFLINE": "v",
    "HUGGINGFACE_HUB_CACHE": "v",
    "HUGGING_FACE_HUB_X": None,
    "MPSDOCTOR_MODEL": None,
    "MTL_CAPTURE_ENABLED": "v",
    "PYTORCH_ENABLE_MPS_FALLBACK": "v",
    "PYTORCH_MPS_KEY": None,
    "TRANSFORMERS_CACHE": "v",
    "TRANSFORMERS_OFFLINE": "v",
    "TRANSFORMERS_X": None,
    "XDG_CACHE_HOME": "v",
}


def test_names_are_recorded_and_some_values() -> None:
    """Sorted; what no check needs, and what may be private, has no value."""
    others = {"PATH": "v", "XDG_DATA_HOME": "v", "HOME": "v", "MY_HF_HOME": "v", "hf_home": "v"}
    environ = dict.fromkeys(sorted(RECORDED, reverse=True), "v") | others
    recorded = environment.read(environ, environ).variables
    assert list(recorded.items()) == list(RECORDED.items())


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        *((f"HF_{word}", "v", True) for word in ("TOKEN", "key", "Secret", "PASSWORD", "AUTH")),
        ("X_CREDENTIALS", "v", True),
        *(("X", f"a {prefix}123", True) for prefix in ("hf_", "api_org_", "ghp_", "sk-")),
        ("X", "github_pat_1", True),
        ("X", "HF_1", True),
        ("X", "https://me:word@proxy/", True),
        ("X", "https://proxy/a@b", False),
        ("X", "half_1", False),
        ("HF_HOME", "/Volumes/x", False),
    ],
)
def test_a_secret_is_known_by_its_name_or_its_form(name: str, value: str, secret: bool) -> None:
    """In any case, anywhere in a value."""
    assert environment.is_secret(name, value) is secret


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
    at_start = {"PYTORCH_MPS_FAST_MATH": "1", "PYTORCH_MPS_PREFER_METAL": "1"}
    environ |= {"PYTORCH_MPS_PREFER_METAL": "0", "HF_MPS": "1"}
    late = environment.read(environ, at_start).set_late
    assert late == ("PYTORCH_ENABLE_MPS_FALLBACK", "PYTORCH_MPS_PREFER_METAL")


def test_this_process_knows_what_it_started_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operating system tells the environment at the start, unless it refuses."""
    monkeypatch.setitem(sys.modules, "torch", sys)
    assert environment.read({"PYTORCH_MPS_NEW": "1"}).set_late == ("PYTORCH_MPS_NEW",)

    for error in (psutil.AccessDenied(1), PermissionError()):

        class Hidden(psutil.Process):
            def environ(self, refusal: Exception = error) -> dict[str, str]:
                raise refusal

        monkeypatch.setattr(psutil, "Process", Hidden)
        assert environment.read({"PYTORCH_MPS_NEW": "1"}).set_late == ()
