"""Why a download failed, in the user's words."""

import errno
import os
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from huggingface_hub import constants
from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hub import errors

MODEL = "org/name"
URL = constants.ENDPOINT
RESUMES = "Downloaded data is kept; the same command resumes the download."
ROOM = (
    "Empty the Trash, or remove models that you no longer use. To list them: hf cache ls\n"
    "Or keep models on another disk: export HF_HOME=/Volumes/DISK/huggingface"
)


class RefusalError(Exception):
    """An answer with a status, as every transport raises it."""

    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(f"\n{status} is the answer\nfor this request")
        self.response = SimpleNamespace(status_code=status, headers=headers)


def of_hub(kind: type[Exception], status: int) -> Exception:
    """One of huggingface_hub's own errors, whose constructor depends on the transport."""
    error = kind.__new__(kind, "refused")
    error.args = ("refused",)
    setattr(error, "response", SimpleNamespace(status_code=status, headers={}))  # noqa: B010
    return error


def of_transport(module: str) -> Exception:
    """An error without an answer that a library raises."""
    kind = type("Broken", (Exception,), {"__module__": module})
    error = kind("no line.")
    assert isinstance(error, Exception)
    return error


def explained(error: Exception, **environ: str) -> tuple[str, str, str]:
    """Title, detail and hint."""
    with pytest.raises(MpsDoctorError) as raised, errors.explained(MODEL, environ):
        raise error
    assert raised.value.__cause__ is error
    return raised.value.title, raised.value.detail, raised.value.hint


def parts(error: MpsDoctorError) -> tuple[str, str, str]:
    return error.title, error.detail, error.hint


@pytest.mark.parametrize(
    ("error", "title", "detail", "hint"),
    [
        (
            HFValidationError("Repo id must be in the form"),
            f"{MODEL} is not the id of a model",
            "Repo id must be in the form",
            "An id is ORGANIZATION/NAME, the end of the address of the model's page.",
        ),
        (
            of_hub(GatedRepoError, 401),
            f"{MODEL} is gated: its authors ask you to accept their terms first",
            "The hub does not know who you are.",
            f"Accept the terms at {URL}/{MODEL}; the authors may have to approve.\n"
            f"Log in here: hf auth login\nThen again: mpsdoctor pull {MODEL}",
        ),
        (
            of_hub(GatedRepoError, 403),
            f"{MODEL} is gated: its authors ask you to accept their terms first",
            "You are logged in, but your account or token has no access.",
            f"Accept the terms at {URL}/{MODEL}; the authors may have to approve.\n"
            "A fine-grained token also needs the permission to read public gated repositories.\n"
            f"Then again: mpsdoctor pull {MODEL}",
        ),
        (
            of_hub(RepositoryNotFoundError, 401),
            f"{URL} shows no model with the id {MODEL}",
            "It does not exist, its name is misspelled, or it is private: the hub does not say.",
            f"Check that {URL}/{MODEL} opens in a browser.\n"
            "If it is private, log in: hf auth login",
        ),
        (
            RefusalError(401),
            f"{URL} does not accept your token",
            "401 is the answer",
            "Log in again: hf auth login\n"
            "If HF_TOKEN is set, it takes precedence; to remove it: unset HF_TOKEN",
        ),
        (
            RefusalError(403),
            f"{URL} denies access",
            "403 is the answer",
            "Check what your token may read: hf auth whoami",
        ),
        (
            RefusalError(404),
            f"{URL} does not answer as a Hugging Face hub does",
            "RefusalError: \n404 is the answer\nfor this request",
            "If this network requires a login, log in with a browser first. "
            "If HF_ENDPOINT is set, check that it names a hub.",
        ),
        (
            RefusalError(429, **{"Retry-After": "77"}),
            f"{URL} has received too many requests from you or your network",
            "429 is the answer",
            f"Try again in 77 seconds. {RESUMES}\nThe limit is higher after a login: hf auth login",
        ),
        (
            RefusalError(429),
            f"{URL} has received too many requests from you or your network",
            "429 is the answer",
            f"Try again in a few minutes. {RESUMES}\n"
            "The limit is higher after a login: hf auth login",
        ),
        (
            RefusalError(500),
            f"{URL} has a problem",
            "500 is the answer",
            f"Try again later. {RESUMES}\nIts status is at https://status.huggingface.co",
        ),
        (
            of_transport("httpx._exceptions"),
            f"{URL} cannot be reached",
            "Broken: no line.",
            "Check the network. Behind a proxy, set HTTPS_PROXY; for a mirror, HF_ENDPOINT.\n"
            f"{RESUMES}",
        ),
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/cache/blob"),
            "The disk is full",
            f"/cache/blob: No space left on device. {RESUMES}",
            ROOM,
        ),
        (
            OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
            "The disk is full",
            f"Writing: Disk quota exceeded. {RESUMES}",
            ROOM,
        ),
        (
            PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/cache"),
            "The Hugging Face cache cannot be used",
            f"/cache: Permission denied. {RESUMES}",
            "mpsdoctor explain MPS503",
        ),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_an_error_says_what_happened_why_and_what_to_type(
    error: Exception, title: str, detail: str, hint: str
) -> None:
    """Title, detail and hint of every refusal of the hub, the network and the disk."""
    assert explained(error) == (title, detail, hint)


def test_an_unreachable_hub_names_the_variables_that_led_there() -> None:
    """Proxies in both spellings, and the endpoint; empty ones do not count."""
    _, bare, _ = explained(ConnectionError("broken"), HTTPS_PROXY="", HF_ENDPOINT="")
    assert bare == "ConnectionError: broken."
    environ = {"HF_ENDPOINT": "http://hub", "https_proxy": "x", "ALL_PROXY": "y", "HTTP_PROXY": "z"}
    _, detail, _ = explained(ConnectionError("broken"), **environ)
    assert detail == (
        "ConnectionError: broken. The address comes from HF_ENDPOINT. "
        "The proxy comes from https_proxy, HTTP_PROXY, ALL_PROXY."
    )


def test_a_bug_stays_a_bug_and_an_explanation_stays_itself() -> None:
    """Errors that have no explanation are not hidden."""
    bug, known = ValueError("bug"), MpsDoctorError("known")
    for error in (bug, known):
        with pytest.raises((ValueError, MpsDoctorError)) as raised, errors.explained(MODEL, {}):
            raise error
        assert raised.value is error


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        *((RefusalError(status), True) for status in (408, 500, 502, 503, 504)),
        *((RefusalError(status), False) for status in (400, 401, 403, 404, 416, 429, 501)),
        *((of_transport(f"{one}.x"), True) for one in ("requests", "urllib3", "httpx", "httpx2")),
        (of_transport("json.decoder"), False),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (OSError(errno.ENOSPC, "full"), False),
        (ValueError(), False),
    ],
    ids=repr,
)
def test_only_trouble_that_passes_is_worth_another_attempt(
    error: Exception, transient: bool
) -> None:
    """The network and an overloaded hub may recover; a refusal stays."""
    assert errors.is_transient(error) is transient


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
@pytest.mark.parametrize("value", ["1", "ON", "yes", "True"])
def test_a_variable_that_forbids_downloads_is_named(name: str, value: str) -> None:
    """With the ways to ignore and to remove it."""
    with pytest.raises(MpsDoctorError) as refused:
        errors.refuse_offline({name: value})
    assert parts(refused.value) == (
        f"{name}={value} forbids downloads",
        "It comes from the environment of this command. A line in ~/.zshrc or a similar file, "
        "`launchctl setenv`, or the program that started the command set it.",
        f"To ignore it once: env -u {name} mpsdoctor pull MODEL\n"
        f"To remove it, delete that line and run: launchctl unsetenv {name}",
    )


def test_other_values_forbid_nothing() -> None:
    """As for Hugging Face's libraries."""
    for value in ("", "0", "no", "off", "false"):
        errors.refuse_offline({"HF_HUB_OFFLINE": value, "HF_TOKEN": "1"})


SINGLE = "model.safetensors is for programs that load a single file."


@pytest.mark.parametrize(
    ("make", "title", "detail", "hint"),
    [
        (
            lambda: errors.no_diffusers_model(MODEL, ["a/b.safetensors", "README.md"]),
            f"{MODEL} is not a Diffusers model",
            "It has no model_index.json, which names the parts of a pipeline.",
            "Choose a repository whose page names the library Diffusers; many models have one "
            f"whose name ends in -diffusers.\nTo download this one anyway: hf download {MODEL}",
        ),
        (
            lambda: errors.no_diffusers_model(MODEL, ["x.txt", "model.safetensors", "b.gguf"]),
            f"{MODEL} is not a Diffusers model",
            f"It has no model_index.json, which names the parts of a pipeline. {SINGLE}",
            "Choose a repository whose page names the library Diffusers; many models have one "
            f"whose name ends in -diffusers.\nTo download this one anyway: hf download {MODEL}",
        ),
        (
            lambda: errors.only_pickled(MODEL, ["unet", "vae"]),
            f"{MODEL} has only pickled weights",
            "Without safetensors: unet, vae. A pickle can run any code while it is loaded, so the "
            "profile refuses it.",
            "Look for the same model with safetensors.\nIf you trust its authors, write "
            "use_safetensors = false into the profile. To find it: mpsdoctor profile path",
        ),
        (
            lambda: errors.needs_code(MODEL, ["unet", "vae"]),
            f"{MODEL} does not load without Python code from its repository",
            "It has its own code for: unet, vae. mpsdoctor never runs such code.",
            "Look for a model that Diffusers itself can load.",
        ),
        (
            lambda: errors.damaged("unet/weights"),
            "unet/weights arrives damaged",
            "The checksum did not match, twice. The file was deleted; everything else stays.",
            "A proxy or a mirror (HF_ENDPOINT) may change or truncate files: try another network.",
        ),
    ],
    ids=["folder", "single file", "pickles", "code", "damaged"],
)
def test_a_model_that_cannot_be_used_has_a_reason(
    make: Callable[[], MpsDoctorError], title: str, detail: str, hint: str
) -> None:
    """Title, detail and hint of every refusal of a repository."""
    assert parts(make()) == (title, detail, hint)
