"""In which number format a model renders on a machine."""

from typing import NamedTuple

from mpsdoctor.facts.model import Facts
from mpsdoctor.knowledge import dtypes
from mpsdoctor.knowledge.versions import parse
from mpsdoctor.tuning import faulty
from mpsdoctor.tuning.needs import Needs
from mpsdoctor.tuning.sources import GUIDE


class Precision(NamedTuple):
    """The format, and why; `rule` and `sources` as in a Choice."""

    dtype: str
    reason: str
    rule: str
    sources: tuple[str, ...] = ()


def choose(facts: Facts, needs: Needs, *, on_mps: bool) -> Precision:
    """float16, as the guide says, unless the model or this machine fails in it."""
    if not on_mps:
        return Precision("float32", "A CPU computes float16 slowly and less exactly.", "dtype")
    fitting = _of_model(facts, needs)
    fault = faulty.asking_for("dtype", facts, fitting.dtype)
    if fault is None:
        return fitting
    asked = str(fault.settings["dtype"])
    if asked == "bfloat16" and not _has_bfloat16(facts):
        asked = "float32"
    return Precision(asked, f"{fault.symptom}.", f"fault {fault.id}", fault.sources)


def _of_model(facts: Facts, needs: Needs) -> Precision:
    family = dtypes.family(needs.model, needs.pipeline)
    chosen = dtypes.to_render_in(family, bfloat16=_has_bfloat16(facts))
    if family is None or chosen == "float16":
        return Precision(chosen, "Half the memory of float32.", "dtype", (GUIDE,))
    reason = f"{family.name} fails in float16: {family.why}."
    if chosen != family.use:
        reason += " This macOS or this torch has no bfloat16 on mps."
    return Precision(chosen, reason, "dtype-model", family.sources)


def _has_bfloat16(facts: Facts) -> bool:
    torch, macos = parse(facts.torch_version), parse(facts.system.macos_version)
    return dtypes.has_bfloat16(torch, macos) is True
