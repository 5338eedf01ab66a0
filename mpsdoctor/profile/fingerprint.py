"""Which settings a picture was made with, as a short word."""

import hashlib

from mpsdoctor.profile.model import Profile

# These say where pictures come from and go to, not what they look like.
_ELSEWHERE = frozenset({"schema_version", "models", "hot_folder", "ignore"})


def fingerprint(profile: Profile) -> str:
    """16 hexadecimal digits; two profiles with the same ones make the same pictures."""
    settings = profile.model_copy(update={"environment": dict(sorted(profile.environment.items()))})
    text = settings.model_dump_json(exclude=set(_ELSEWHERE))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
