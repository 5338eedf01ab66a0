"""Which model a pipeline is of."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mpsdoctor.rendering.introspection.model import model_of
from mpsdoctor.resources import embedded_model

SNAPSHOT = (
    "/Volumes/m/hub/models--stabilityai--sd--xl/snapshots/462165984030d82259a11f4367a4eed129e94a7b"
)


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("stabilityai/sdxl-turbo", "stabilityai/sdxl-turbo"),
        ("/Users/me/models/mine", "/Users/me/models/mine"),
        (Path("/Users/me/models/mine"), "/Users/me/models/mine"),
        (SNAPSHOT, "stabilityai/sd--xl"),
        ("/Users/me/snapshots/mine", "/Users/me/snapshots/mine"),
        (str(embedded_model()), "shapes"),
        ("shapes", "shapes"),
        ("", None),
        (None, None),
    ],
)
def test_it_is_named_as_in_a_profile(path: str | Path | None, model: str | None) -> None:
    """A snapshot in the cache is the repository's; what was put together in code has no name."""
    assert model == model_of(cast(Any, SimpleNamespace(name_or_path=path)))
    assert None is model_of(cast(Any, SimpleNamespace()))
