"""The record of the last fix, on disk."""

import json
from base64 import b64encode
from pathlib import Path

import pytest

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.fixing import journal
from mpsdoctor.fixing.step import KeepCopy, MakeFolder, Step, WriteFile

STEPS: tuple[Step, ...] = (
    MakeFolder(path="/hot"),
    KeepCopy(path="/p", to="/q"),
    WriteFile(path="/p", before=b"\x00old", after=b"new"),
)


def test_the_record_has_every_step(tmp_path: Path) -> None:
    """Each step is on disk with its kind and all that undoing it takes."""
    record = tmp_path / "state" / "undo.json"

    journal.write(record, STEPS)

    assert {
        "steps": [
            {"type": "make folder", "path": "/hot"},
            {"type": "keep copy", "path": "/p", "to": "/q"},
            {
                "type": "write file",
                "path": "/p",
                "before": b64encode(b"\x00old").decode(),
                "after": b64encode(b"new").decode(),
            },
        ],
        "schema_version": 1,
    } == json.loads(record.read_bytes())
    assert STEPS == journal.read(record)


def test_without_steps_there_is_no_record(tmp_path: Path) -> None:
    """Nothing to undo leaves no file, whether there was one or not."""
    record = tmp_path / "undo.json"

    journal.write(record, ())
    assert not record.exists()

    journal.write(record, STEPS)
    journal.write(record, [])
    assert not record.exists()
    assert () == journal.read(record)


def test_a_record_that_cannot_be_there_has_no_steps(tmp_path: Path) -> None:
    """A file in place of its folder means that there is no record."""
    (tmp_path / "state").write_text("")

    assert () == journal.read(tmp_path / "state" / "undo.json")


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"steps":[],"schema_version":2}', b"\xff"])
def test_a_damaged_record_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    """A folder, text that is not JSON and a newer version are all refused."""
    record = tmp_path / "undo.json"
    if content is None:
        record.mkdir()
    else:
        record.write_bytes(content)

    with pytest.raises(MpsDoctorError) as raised:
        journal.read(record)

    error = raised.value
    assert (
        "The record of the last fix cannot be read",
        f"{record}: {error.__cause__}",
        "Make that file readable, or move it away. Then there is nothing to undo.",
    ) == (error.title, error.detail, error.hint)
