"""The error file beside a file that failed. Pure."""

from collections.abc import Iterator

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.hotfolder.spool.job import Failure, Job

_LONGEST_PROMPT = 60


def error_text(job: Job, reason: MpsDoctorError | None) -> str:
    """Why the file or some of its pictures failed, and which images were made from it.

    A `reason` is about the entire file. Without one, the text lists the failures of its pictures,
    each reason once.
    """
    parts = list(_of_file(job, reason) if reason else _of_pictures(job))
    if job.published:
        images = "\n".join(f"  {name}" for _, name in sorted(job.published.items()))
        parts.append(
            f"These images were made from this file and are in the folder images:\n{images}\n"
            "To make only the others, delete the finished ones from the file, then drop it again."
        )
    return "\n\n".join(parts) + "\n"


def _of_file(job: Job, reason: MpsDoctorError) -> Iterator[str]:
    yield f"{job.name} was not rendered."
    yield from _explained(Failure.of(reason))


def _of_pictures(job: Job) -> Iterator[str]:
    if job.pictures == 1:
        yield f"{job.name} was not rendered."
    else:
        yield f"{len(job.failures)} of the {job.pictures} pictures of {job.name} failed."
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for number, failure in sorted(job.failures.items()):
        key = (failure.title, failure.detail, failure.hint)
        reasons.setdefault(key, []).append(_picture(number, failure.prompt))
    for (title, detail, hint), pictures in reasons.items():
        if job.pictures > 1:
            yield "\n".join(pictures)
        yield from _explained(Failure(title=title, detail=detail, hint=hint))


def _picture(number: int, prompt: str) -> str:
    words = " ".join(prompt.split())
    if len(words) > _LONGEST_PROMPT:
        words = words[:_LONGEST_PROMPT] + "…"
    return f"Picture {number}: {words}" if words else f"Picture {number}"


def _explained(failure: Failure) -> Iterator[str]:
    yield "\n".join(part for part in (failure.title, failure.detail) if part)
    if failure.hint:
        yield f"What to do: {failure.hint}"
