"""The number format in which a model renders on a machine, and why."""

from typing import NamedTuple

from mpsdoctor.knowledge import dtypes
from mpsdoctor.knowledge.rendering import Rendering
from mpsdoctor.tuning.needs import Needs
from mpsdoctor.tuning.sources import GUIDE


class Precision(NamedTuple):
    """The format and the reason for it; `rule` and `sources` are those of a Choice."""

    dtype: str
    reason: str
    rule: str
    sources: tuple[str, ...] = ()


def explain(rendering: Rendering, needs: Needs, *, on_mps: bool) -> Precision:
    """The format of the model's family, unless this machine fails in it."""
    if not on_mps:
        return Precision("float32", "A CPU computes float16 slowly and less exactly.", "dtype")
    if fault := rendering.fault:
        return Precision(rendering.dtype, f"{fault.symptom}.", f"fault {fault.id}", fault.sources)
    family = dtypes.family(needs.model, needs.pipeline)
    if family is None or rendering.dtype == "float16":
        sources = family.sources if family else (GUIDE,)
        return Precision(rendering.dtype, "Half the memory of float32.", "dtype", sources)
    verdict = "fails in float16" if family.fails else f"is meant for {family.use}"
    reason = f"{family.name} {verdict}. The cause: {family.why}."
    if rendering.dtype != family.use:
        reason += " This macOS or this torch has no bfloat16 on mps."
    return Precision(rendering.dtype, reason, "dtype-model", family.sources)
