"""Why a hub did not give what was asked for, and what to do about it."""

import errno
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from mpsdoctor.errors import MpsDoctorError

# huggingface_hub speaks through requests before 1.0, then through httpx, then through httpx2.
_TRANSPORTS = frozenset({"requests", "urllib3", "httpx", "httpx2"})
_TRANSIENT = frozenset({408, 500, 502, 503, 504})
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_TRUE = frozenset({"1", "on", "yes", "true"})
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
MAKE_ROOM = (
    "Empty the Trash, or remove models that you no longer use; to see them: hf cache ls\n"
    "Or keep models on another disk: export HF_HOME=/Volumes/DISK/huggingface"
)
_GO_ON = "What is here already stays; the same command goes on from there."


def refuse_offline(environ: Mapping[str, str]) -> None:
    """Raises MpsDoctorError where a variable keeps Hugging Face's libraries from the network."""
    for name in _OFFLINE:
        if environ.get(name, "").lower() in _TRUE:
            raise MpsDoctorError(
                f"{name}={environ[name]} forbids downloads",
                detail="It comes from the environment that this command was started in: a line in "
                "~/.zshrc or the like, `launchctl setenv`, or the program that started it.",
                hint=f"For this once: env -u {name} mpsdoctor pull MODEL\n"
                f"To be rid of it, remove that line, and: launchctl unsetenv {name}",
            )


def is_transient(error: Exception) -> bool:
    """Whether trying again can help: the network broke, or the hub is in trouble."""
    status = _status(error)
    return _is_transport(error) if status is None else status in _TRANSIENT


@contextmanager
def explained(model: str, environ: Mapping[str, str]) -> Iterator[None]:
    """Raises MpsDoctorError for whatever a hub, the way to it or the disk refuses inside."""
    try:
        yield
    except MpsDoctorError:
        raise
    except Exception as error:
        reason = _explain(error, model, environ)
        if reason is None:
            raise
        raise reason from error


def _explain(error: Exception, model: str, environ: Mapping[str, str]) -> MpsDoctorError | None:
    """None for a bug."""
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    endpoint = constants.ENDPOINT
    if isinstance(error, HFValidationError):
        return _misspelt(model, error)
    if isinstance(error, GatedRepoError):
        return _gated(error, model, endpoint)
    if isinstance(error, RepositoryNotFoundError):
        return _not_found(model, endpoint)
    status = _status(error)
    if status is not None:
        return _REFUSALS.get(status, _trouble)(error, endpoint)
    if _is_transport(error):
        return _unreachable(error, endpoint, environ)
    return _disk(error) if isinstance(error, OSError) else None


def no_hub(error: Exception) -> MpsDoctorError:
    """What answers does not speak as a hub does."""
    from huggingface_hub import constants

    return MpsDoctorError(
        f"{constants.ENDPOINT} does not answer as a Hugging Face hub does",
        detail=f"{type(error).__name__}: {error}",
        hint="If this network asks you to log in, do so in a browser first. If HF_ENDPOINT is set, "
        "see whether it names a hub.",
    )


def no_diffusers_model(model: str, files: Iterable[str]) -> MpsDoctorError:
    """The repository has no model_index.json."""
    single = [name for name in files if re.fullmatch(r"[^/]+\.(safetensors|ckpt|gguf)", name)]
    return MpsDoctorError(
        f"{model} is not a Diffusers model",
        detail="It has no model_index.json, which names the parts of a pipeline."
        + (f" {single[0]} is for programs that load a single file." if single else ""),
        hint="Choose a repository whose page names the library Diffusers; many models have one "
        f"whose name ends in -diffusers.\nTo have this one as it is: hf download {model}",
    )


def only_pickled(model: str, components: Iterable[str]) -> MpsDoctorError:
    """Weights that the profile refuses to load."""
    return MpsDoctorError(
        f"{model} has only pickled weights",
        detail=f"Without safetensors: {', '.join(components)}. A pickle can run any code while it "
        "is loaded, therefore the profile refuses it.",
        hint="Look for the same model with safetensors.\nIf you trust its authors, write "
        "use_safetensors = false into the profile; where it lies: mpsdoctor profile path",
    )


def needs_code(model: str, components: Iterable[str]) -> MpsDoctorError:
    """A model that brings Python code, which `from_pretrained` gets no permission to run."""
    return MpsDoctorError(
        f"{model} does not load without Python code from its repository",
        detail=f"It has its own code for: {', '.join(components)}. mpsdoctor never runs such code.",
        hint="Look for a model that Diffusers itself can load.",
    )


def damaged(path: str) -> MpsDoctorError:
    """What came twice is not what the hub has."""
    return MpsDoctorError(
        f"{path} arrives damaged",
        detail="Twice its content was not what the hub names it to be. It was thrown away; "
        "everything else stays.",
        hint="A proxy or a mirror (HF_ENDPOINT) may change or cut files: try another network.",
    )


def _misspelt(model: str, error: Exception) -> MpsDoctorError:
    return MpsDoctorError(
        f"{model} is not the id of a model",
        detail=str(error),
        hint="An id is ORGANISATION/NAME, the end of the address of the model's page.",
    )


def _gated(error: Exception, model: str, endpoint: str) -> MpsDoctorError:
    logged_in = _status(error) == 403
    return MpsDoctorError(
        f"{model} is gated: its authors ask you to accept their terms first",
        detail="You are logged in, but your account, or this token of yours, has no access."
        if logged_in
        else "The hub does not know who you are.",
        hint=f"Accept the terms at {endpoint}/{model}; the authors may have to consent.\n"
        + (
            "A fine-grained token also needs the permission to read public gated repositories.\n"
            if logged_in
            else "Log in here: hf auth login\n"
        )
        + f"Then again: mpsdoctor pull {model}",
    )


def _not_found(model: str, endpoint: str) -> MpsDoctorError:
    return MpsDoctorError(
        f"{endpoint} shows no model {model}",
        detail="It does not exist, its name is misspelt, or it is private: the hub does not say.",
        hint=f"See whether {endpoint}/{model} opens in a browser.\n"
        "If it is private, log in: hf auth login",
    )


def _unreachable(error: Exception, endpoint: str, environ: Mapping[str, str]) -> MpsDoctorError:
    names = [name for known in _PROXIES for name in (known, known.lower()) if environ.get(name)]
    proxies = f" The network is used through {', '.join(names)}." if names else ""
    chosen = " HF_ENDPOINT chose it." if environ.get("HF_ENDPOINT") else ""
    return MpsDoctorError(
        f"{endpoint} cannot be reached",
        detail=f"{type(error).__name__}: {str(error).rstrip('.')}.{chosen}{proxies}",
        hint="Check the network. Behind a proxy set HTTPS_PROXY; for a mirror, HF_ENDPOINT.\n"
        + _GO_ON,
    )


def _unauthorised(error: Exception, endpoint: str) -> MpsDoctorError:
    return MpsDoctorError(
        f"{endpoint} does not accept your token",
        detail=_first_line(error),
        hint="Log in anew: hf auth login\n"
        "Where HF_TOKEN is set, it comes first; to be rid of it: unset HF_TOKEN",
    )


def _forbidden(error: Exception, endpoint: str) -> MpsDoctorError:
    return MpsDoctorError(
        f"{endpoint} forbids it",
        detail=_first_line(error),
        hint="See what your token may read: hf auth whoami",
    )


def _too_many(error: Exception, endpoint: str) -> MpsDoctorError:
    seconds = getattr(error, "response").headers.get("Retry-After", "")  # noqa: B009
    wait = f"in {seconds} seconds" if seconds.isdecimal() else "in a few minutes"
    return MpsDoctorError(
        f"{endpoint} has had too many requests from you or your network",
        detail=_first_line(error),
        hint=f"Try again {wait}. {_GO_ON}\nWho is logged in may ask more: hf auth login",
    )


def _trouble(error: Exception, endpoint: str) -> MpsDoctorError:
    return MpsDoctorError(
        f"{endpoint} is in trouble",
        detail=_first_line(error),
        hint=f"Try again later. {_GO_ON}\nWhether others see it too: https://status.huggingface.co",
    )


def _disk(error: OSError) -> MpsDoctorError:
    detail = f"{error.filename or 'Writing'}: {error.strerror}. {_GO_ON}"
    if error.errno in _NO_SPACE:
        return MpsDoctorError("The disk is full", detail=detail, hint=MAKE_ROOM)
    return MpsDoctorError(
        "The Hugging Face cache cannot be used", detail=detail, hint="mpsdoctor explain MPS503"
    )


_REFUSALS: Mapping[int, Callable[[Exception, str], MpsDoctorError]] = {
    401: _unauthorised,
    403: _forbidden,
    404: lambda error, _endpoint: no_hub(error),
    429: _too_many,
}


def _is_transport(error: Exception) -> bool:
    libraries = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return bool(libraries & _TRANSPORTS) or isinstance(error, (ConnectionError, TimeoutError))


def _status(error: Exception) -> int | None:
    """The HTTP status, where a hub has answered."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
