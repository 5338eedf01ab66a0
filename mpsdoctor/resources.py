"""Files that ship with mpsdoctor, wherever it is installed.

In a checkout, or an editable install, `profiles/`, `launchd/` and `docs/checks/` are beside the
package. In a wheel they are in `mpsdoctor/shipped/`; see the build settings in pyproject.toml.
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
    """Whether `source`, from which a pipeline was loaded, is the embedded model."""
    return Path(source) in (Path(EMBEDDED_MODEL), embedded_model())
