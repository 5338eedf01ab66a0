"""What a fix will do, as steps and in words; nothing is done here."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mpsdoctor.fixing.step import KeepCopy, MakeFolder, Step, WriteFile
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import ENVIRONMENT, Choices, Value
from mpsdoctor.profile.salvage import Salvage


@dataclass(frozen=True)
class Plan:
    """Steps in their order, and lines that say what they do."""

    steps: tuple[Step, ...] = ()
    lines: tuple[str, ...] = ()

    @property
    def writes_file(self) -> bool:
        """Whether it changes a file, which can only be the profile."""
        return any(isinstance(step, WriteFile) for step in self.steps)

    def __add__(self, other: "Plan") -> "Plan":
        return Plan(self.steps + other.steps, self.lines + other.lines)


def make_folders(missing: Iterable[Path]) -> Plan:
    """`missing` are folders that do not exist, each after the folder that contains it."""
    folders = tuple(map(str, missing))
    return Plan(
        tuple(MakeFolder(path=folder) for folder in folders),
        tuple(f"make the folder {folder}" for folder in folders),
    )


def put_back(
    path: Path, content: bytes, choices: Choices, settings: Collection[str], machine: str
) -> Plan:
    """The profile as it is tuned now, with the user's own values except `settings`.

    `content` is a profile that `mpsdoctor.profile.loading.load` accepts; `machine` says what it is
    tuned for.
    """
    previous = document.read(content.decode())
    own = previous.edits_for(str(choices["model"].value))
    edits = {name: value for name, value in own.items() if name not in settings}
    text = document.write(choices, edits, machine)
    lines = tuple(_changes(path, previous.values, document.read(text).values))
    if not lines:
        return Plan()
    return Plan((WriteFile(path=str(path), before=content, after=text.encode()),), lines)


def rewrite(
    path: Path, content: bytes, copy: Path, salvaged: Salvage, choices: Choices, machine: str
) -> Plan:
    """A profile tuned for `machine`, with the edits that are still valid.

    `copy` keeps the old one.
    """
    text = document.write(choices, salvaged.edits, machine)
    return Plan(
        (
            KeepCopy(path=str(path), to=str(copy)),
            WriteFile(path=str(path), before=content, after=text.encode()),
        ),
        (
            f"keep a copy of {path} beside it, as {copy.name}",
            f"write {path} again, tuned for this machine",
            *_kept(salvaged),
            *(f"  without {written}" for written in salvaged.left_out),
        ),
    )


def _kept(salvaged: Salvage) -> Iterator[str]:
    written = {setting: name for name, setting in salvaged.renamed.items()}
    for setting, value in salvaged.edits.items():
        corrected = f", which was misspelled {written[setting]}" if setting in written else ""
        yield f"  with your own {_assignment(setting, value)}{corrected}"


def _changes(path: Path, old: Mapping[str, Value], new: Mapping[str, Value]) -> Iterator[str]:
    for name in dict.fromkeys((*new, *old)):
        if old.get(name) == new.get(name):
            continue
        was = f"was {_shown(old[name])}" if name in old else "was not set"
        if name in new:
            yield f"set {_assignment(name, new[name])} in {path}, {was}"
        else:
            yield f"remove {name.removeprefix(ENVIRONMENT)} from {path}, {was}"


def _assignment(name: str, value: Value) -> str:
    return f"{name.removeprefix(ENVIRONMENT)} = {_shown(value)}"


def _shown(value: Value) -> str:
    """As in the profile: JSON writes strings, numbers and lists like TOML."""
    return json.dumps(value, ensure_ascii=False)
