"""Why a download failed, and what to do about it."""

import errno
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from mpsdoctor.errors import MpsDoctorError

# huggingface_hub uses requests before 1.0, then httpx, then httpx2.
_TRANSPORTS = frozenset({"requests", "urllib3", "httpx", "httpx2"})
_TRANSIENT = frozenset({408, 500, 502, 503, 504})
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_TRUE = frozenset({"1", "on", "yes", "true"})
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
MAKE_ROOM = (
    "Empty the Trash, or remove models that you no longer use. To list them: hf cache ls\n"
    "Or keep models on another disk: export HF_HOME=/Volumes/DISK/huggingface"
)
_RESUMES = "Downloaded data is kept; the same command resumes the download."


def refuse_offline(environ: Mapping[str, str]) -> None:
    """Raises MpsDoctorError if a variable keeps Hugging Face's libraries offline."""
    for name in _OFFLINE:
        if environ.get(name, "").lower() in _TRUE:
            raise MpsDoctorError(
                f"{name}={environ[name]} forbids downloads",
                detail="It comes from the environment of this command. A line in ~/.zshrc or a "
                "similar file, `launchctl setenv`, or the program that started the command set it.",
                hint=f"To ignore it once: env -u {name} mpsdoctor pull MODEL\n"
                f"To remove it, delete that line and run: launchctl unsetenv {name}",
            )


def is_transient(error: Exception) -> bool:
    """Whether another attempt can help: the network failed, or the hub has a problem."""
    status = _status(error)
    return _is_transport(error) if status is None else status in _TRANSIENT


@contextmanager
def explained(model: str, environ: Mapping[str, str]) -> Iterator[None]:
    """Turns errors of the hub, the network and the disk into MpsDoctorError."""
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
    """The explanation, or None for a bug."""
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
    """The server's answer is not that of a hub."""
    from huggingface_hub import constants

    return MpsDoctorError(
        f"{constants.ENDPOINT} does not answer as a Hugging Face hub does",
        detail=f"{type(error).__name__}: {error}",
        hint="If this network requires a login, log in with a browser first. "
        "If HF_ENDPOINT is set, check that it names a hub.",
    )


def no_diffusers_model(model: str, files: Iterable[str]) -> MpsDoctorError:
    """The repository has no model_index.json."""
    single = [name for name in files if re.fullmatch(r"[^/]+\.(safetensors|ckpt|gguf)", name)]
    return MpsDoctorError(
        f"{model} is not a Diffusers model",
        detail="It has no model_index.json, which names the parts of a pipeline."
        + (f" {single[0]} is for programs that load a single file." if single else ""),
        hint="Choose a repository whose page names the library Diffusers; many models have one "
        f"whose name ends in -diffusers.\nTo download this one anyway: hf download {model}",
    )


def only_pickled(model: str, components: Iterable[str]) -> MpsDoctorError:
    """The weights are pickles, and the profile refuses to load them."""
    return MpsDoctorError(
        f"{model} has only pickled weights",
        detail=f"Without safetensors: {', '.join(components)}. A pickle can run any code while it "
        "is loaded, so the profile refuses it.",
        hint="Look for the same model with safetensors.\nIf you trust its authors, write "
        "use_safetensors = false into the profile. To find it: mpsdoctor profile path",
    )


def needs_code(model: str, components: Iterable[str]) -> MpsDoctorError:
    """The model needs its own Python code, which `from_pretrained` is not allowed to run."""
    return MpsDoctorError(
        f"{model} does not load without Python code from its repository",
        detail=f"It has its own code for: {', '.join(components)}. mpsdoctor never runs such code.",
        hint="Look for a model that Diffusers itself can load.",
    )


def damaged(path: str) -> MpsDoctorError:
    """The file arrived twice with a wrong checksum."""
    return MpsDoctorError(
        f"{path} arrives damaged",
        detail="The checksum did not match, twice. The file was deleted; everything else stays.",
        hint="A proxy or a mirror (HF_ENDPOINT) may change or truncate files: try another network.",
    )


def _misspelt(model: str, error: Exception) -> MpsDoctorError:
    return MpsDoctorError(
        f"{model} is not the id of a model",
        detail=str(error),
        hint="An id is ORGANIZATION/NAME, the end of the address of the model's page.",
    )


def _gated(error: Exception, model: str, endpoint: str) -> MpsDoctorError:
    logged_in = _status(error) == 403
    return MpsDoctorError(
        f"{model} is gated: its authors ask you to accept their terms first",
        detail="You are logged in, but your account or token has no access."
        if logged_in
        else "The hub does not know who you are.",
        hint=f"Accept the terms at {endpoint}/{model}; the authors may have to approve.\n"
        + (
            "A fine-grained token also needs the permission to read public gated repositories.\n"
            if logged_in
            else "Log in here: hf auth login\n"
        )
        + f"Then again: mpsdoctor pull {model}",
    )


def _not_found(model: str, endpoint: str) -> MpsDoctorError:
    return MpsDoctorError(
        f"{endpoint} shows no model with the id {model}",
        detail="It does not exist, its name is misspelled, or it is private: the hub does not say.",
        hint=f"Check that {endpoint}/{model} opens in a browser.\n"
        "If it is private, log in: hf auth login",
    )


def _unreachable(error: Exception, endpoint: str, environ: Mapping[str, str]) -> MpsDoctorError:
    names = [name for known in _PROXIES for name in (known, known.lower()) if environ.get(name)]
    proxies = f" The proxy comes from {', '.join(names)}." if names else ""
    chosen = " The address comes from HF_ENDPOINT." if environ.get("HF_ENDPOINT") else ""
    return MpsDoctorError(
        f"{endpoint} cannot be reached",
        detail=f"{type(error).__name__}: {str(error).rstrip('.')}.{chosen}{proxies}",
        hint="Check the network. Behind a proxy, set HTTPS_PROXY; for a mirror, HF_ENDPOINT.\n"
        + _RESUMES,
    )


def _unauthorised(error: Exception, endpoint: str) -> MpsDoctorError:
    return MpsDoctorError(
        f"{endpoint} does not accept your token",
        detail=_first_line(error),
        hint="Log in again: hf auth login\n"
        "If HF_TOKEN is set, it takes precedence; to remove it: unset HF_TOKEN",
    )


def _forbidden(error: Exception, endpoint: str) -> MpsDoctorError:
    return MpsDoctorError(
        f"{endpoint} denies access",
        detail=_first_line(error),
        hint="Check what your token may read: hf auth whoami",
    )


def _too_many(error: Exception, endpoint: str) -> MpsDoctorError:
    seconds = getattr(error, "response").headers.get("Retry-After", "")  # noqa: B009
    wait = f"in {seconds} seconds" if seconds.isdecimal() else "in a few minutes"
    return MpsDoctorError(
        f"{endpoint} has received too many requests from you or your network",
        detail=_first_line(error),
        hint=f"Try again {wait}. {_RESUMES}\nThe limit is higher after a login: hf auth login",
    )


def _trouble(error: Exception, endpoint: str) -> MpsDoctorError:
    return MpsDoctorError(
        f"{endpoint} has a problem",
        detail=_first_line(error),
        hint=f"Try again later. {_RESUMES}\nIts status is at https://status.huggingface.co",
    )


def _disk(error: OSError) -> MpsDoctorError:
    detail = f"{error.filename or 'Writing'}: {error.strerror}. {_RESUMES}"
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
    """The HTTP status, if a hub has answered."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
