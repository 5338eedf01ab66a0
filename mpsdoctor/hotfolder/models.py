"""Which model a prompt file may name."""

from pathlib import PurePath

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.files import folded
from mpsdoctor.profile.model import Profile


def allowed(profile: Profile, name: str | None) -> str:
    """The model that `name` means: one of the profile's, whole or without its owner or folder.

    So the name that infotext keeps finds its model again. None means the profile's own.

    Raises MpsDoctorError for every other name: a prompt file starts no download and names no path.
    """
    if name is None:
        return profile.model
    models = (profile.model, *profile.models)
    for model in models:
        if folded(name) in (folded(model), folded(PurePath(model).name)):
            return model
    raise MpsDoctorError(
        f"This profile does not render with the model {name}",
        detail=f"It renders with {', '.join(models)}.",
        hint="Leave `Model` out of the prompt file, or add the model to `models` in the profile "
        "(its place: `mpsdoctor profile path`).",
    )


def with_model(profile: Profile, model: str) -> Profile:
    """The profile for another of its models."""
    return profile if model == profile.model else profile.model_copy(update={"model": model})
