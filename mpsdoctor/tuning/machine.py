"""The facts of this machine that settings are tuned from."""

import platform
from pathlib import Path

from mpsdoctor.facts import saved
from mpsdoctor.facts.collect import collect
from mpsdoctor.facts.records import Facts
from mpsdoctor.paths import facts_file
from mpsdoctor.tuning.host import Host


def machine_facts(profile: Path, host: Host) -> Facts:
    """The facts that the last check saved beside `profile`, as long as they are valid.

    Otherwise this machine is examined without the canaries, and `tell` says so: importing torch
    takes seconds, the canaries take longer.
    """
    kernel = platform.system()
    kept = saved.read(facts_file(profile))
    changed = saved.changes(kept, saved.conditions(host.run, kernel)) if kept else []
    if kept and not changed:
        return kept.facts
    host.tell(f"{_why(changed)} Settings are tuned without the canaries: run `mpsdoctor check`.")
    with host.busy("Examining this machine …"):
        return collect(run=host.run, kernel=kernel, canaries_on=None)


def keep_facts(profile: Path, facts: Facts, host: Host) -> None:
    """Saves what a check has found; if that fails, `tell` says so."""
    path = facts_file(profile)
    try:
        saved.save(path, facts, saved.conditions(host.run, platform.system()))
    except OSError as error:
        host.tell(f"The facts of this machine cannot be saved: {error}.")


def _why(changed: list[str]) -> str:
    if not changed:
        return "No check has examined this machine."
    return f"Changed since the last check: {', '.join(changed)}."
