"""Files that ship with mpsdoctor, wherever it is installed.

`profiles/`, `launchd/` and `docs/checks/` lie beside the package in a checkout (also an editable
install) and in `mpsdoctor/shipped/` in a wheel; see the build settings in pyproject.toml.
"""

from pathlib import Path

from mpsdoctor.constants import EMBEDDED_MODEL

PACKAGE = Path(__file__).parent


def shipped(folder: str) -> Path:
    """The folder `profiles`, `launchd` or `docs/checks`."""
    in_wheel = PACKAGE / "shipped" / folder
    return in_wheel if in_wheel.is_dir() else PACKAGE.parent / folder


def knowledge(name: str) -> Path:
    """A data file of `mpsdoctor/knowledge/tables/`."""
    return PACKAGE / "knowledge" / "tables" / name


def embedded_model() -> Path:
    """The folder of the embedded model, which `DiffusionPipeline.from_pretrained` loads."""
    return PACKAGE / "shapes" / "model"


def is_embedded(source: str | Path) -> bool:
    """Whether `source`, of which a pipeline was loaded, is the embedded model's name or folder."""
    return Path(source) in (Path(EMBEDDED_MODEL), embedded_model())
