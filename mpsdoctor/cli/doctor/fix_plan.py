"""Turns the fixes in a report into a plan of changes on this disk."""

import os
from dataclasses import replace
from pathlib import Path

from mpsdoctor.checks.report import Fix, FixKind, Report
from mpsdoctor.cli.doctor.tuned_profile import tune_with_edits
from mpsdoctor.constants import EMBEDDED_MODEL
from mpsdoctor.facts.records import Facts
from mpsdoctor.files import numbered_names
from mpsdoctor.fixing.plan import Plan, make_folders, put_back, rewrite
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.profile import document
from mpsdoctor.profile.document import Document
from mpsdoctor.profile.salvage import salvage
from mpsdoctor.tuning.machine_name import machine_name


def plan_for(report: Report, model: str | None) -> Plan:
    """Reads the disk, but writes nothing. `model` is what to tune for, if not the profile's."""
    fixes = [
        result.finding.remedy.fix
        for result in report.results
        if result.finding and result.finding.remedy.fix
    ]
    kinds = {fix.kind for fix in fixes}
    if FixKind.PROFILE in kinds:
        plan, hot_folder = _rewritten(report.facts, model)
    else:
        plan, hot_folder = _retuned(report.facts, model, fixes), None
    if FixKind.HOT_FOLDER in kinds and report.facts.hot_folder:
        root = Path(report.facts.hot_folder.folder.path)
        # The corrected profile may name another folder, which the report did not examine.
        if hot_folder in (None, root):
            plan += make_folders(_missing(root))
    return plan


def _rewritten(facts: Facts, model: str | None) -> tuple[Plan, Path | None]:
    """The plan, and the hot folder that the new profile names, if it names one."""
    path = _profile(facts)
    content = path.read_bytes()
    salvaged = salvage(content)
    name = model or salvaged.model or EMBEDDED_MODEL
    choices = tune_with_edits(name, facts, Document({**salvaged.edits, "model": name})).choices
    named = salvaged.edits.get("hot_folder")
    hot_folder = Path(os.path.realpath(os.path.expanduser(str(named)))) if named else None  # noqa: PTH111 (no raise)
    plan = rewrite(path, content, _unused(path), salvaged, choices, machine_name(facts))
    return plan, hot_folder


def _retuned(facts: Facts, model: str | None, fixes: list[Fix]) -> Plan:
    settings = {setting for fix in fixes for setting in fix.settings}
    if not settings:
        return Plan()
    path = _profile(facts)
    content = path.read_bytes()
    current = document.read(content.decode())
    name = model or str(current.values["model"])
    remaining = {key: value for key, value in current.written.items() if key not in settings}
    tuned = tune_with_edits(name, facts, replace(current, written=remaining))
    return put_back(path, content, tuned.choices, settings, machine_name(facts))


def _profile(facts: Facts) -> Path:
    assert facts.profile, "only a profile that was read has findings"
    return Path(facts.profile.path)


def _unused(path: Path) -> Path:
    names = numbered_names(f"{path.stem}.aside", path.suffix)
    return next(path.with_name(name) for name in names if not os.path.lexists(path.parent / name))


def _missing(root: Path) -> list[Path]:
    folders = (*reversed(root.parents), root, *Layout(root).folders)
    return [folder for folder in folders if not os.path.lexists(folder)]
