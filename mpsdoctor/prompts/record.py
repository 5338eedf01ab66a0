"""What mpsdoctor writes into its pictures about the job that made them."""

import json

PNG_KEY = "mpsdoctor"


def format_record(job: str) -> str:
    """The value of the PNG text chunk `mpsdoctor`."""
    return json.dumps({"job": job})


def job_of(record: str | None) -> str | None:
    """The job id in such a value; None for anything that is not one."""
    try:
        job = json.loads(record or "")["job"]
    except (ValueError, KeyError, TypeError):
        return None
    return job if isinstance(job, str) else None
