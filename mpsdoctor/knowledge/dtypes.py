"""The number formats in which models render; the data and its sources are in dtypes.toml."""

from fnmatch import fnmatchcase
from functools import cache

from packaging.version import Version

from mpsdoctor.knowledge import data
from mpsdoctor.knowledge.data import Row
from mpsdoctor.records import Record


class Model(Row):
    """A family of models, the format to use, and the formats that are known to fail."""

    name: str
    pipelines: tuple[str, ...]
    models: tuple[str, ...]
    fails: tuple[str, ...]
    use: str
    why: str


class Bfloat16(Row):
    """The first releases in which mps has bfloat16."""

    torch: Version
    macos: Version


class Dtypes(Record, forbid_unknown_fields=True):
    """All of dtypes.toml."""

    model: tuple[Model, ...]
    bfloat16: Bfloat16


@cache
def load() -> Dtypes:
    """The file, validated."""
    return data.read("dtypes.toml", Dtypes)


def family(model: str, pipeline: str | None) -> Model | None:
    """The family of a model; the pipeline's class, if known, decides.

    Every class has one. None if the class is not known, nor the name.
    """
    rows = load().model
    if pipeline is not None:
        return next((row for row in rows if _matches(pipeline, row.pipelines)), None)
    return next((row for row in rows if _matches(model, row.models)), None)


def to_render_in(family: Model | None, *, bfloat16: bool) -> str:
    """The format that the family uses; `bfloat16` says whether the device has bfloat16.

    An unknown model is most often a Stable Diffusion, which uses float16.
    """
    if family is None:
        return "float16"
    return "float32" if family.use == "bfloat16" and not bfloat16 else family.use


def is_known_to_work(family: Model | None, dtype: str) -> bool:
    """Whether such models are known to render in this format.

    A model that is used in bfloat16 can exceed the range of float16.
    """
    if family is None:
        return True
    return dtype not in family.fails and (dtype != "float16" or family.use == "float16")


def has_bfloat16(torch: Version | None, macos: Version | None) -> bool | None:
    """Whether mps has bfloat16 with these releases; None if one of them is unknown."""
    needed = load().bfloat16
    if torch is None or macos is None:
        return None
    return torch >= needed.torch and macos >= needed.macos


def _matches(text: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
