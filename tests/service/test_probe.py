"""What a process of launchd's may do, and what a folder allows."""

import errno
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from mpsdoctor.facts.agent import Context
from mpsdoctor.facts.command import CommandResult
from mpsdoctor.facts.command import run as run_command
from mpsdoctor.facts.probes import torch_answer
from mpsdoctor.service.probe import attempt, look, main, try_folder

OPERATIONS = ("list", "write", "read", "rename", "delete")


def lines(*answers: tuple[str, str | None]) -> str:
    return "".join(json.dumps(answer) + "\n" for answer in answers)


@pytest.mark.parametrize("count", range(6))
def test_a_folder_that_never_answers_is_known_by_the_operation_that_hangs(count: int) -> None:
    """macOS asks the user there, and the child is killed: what it has said until then counts."""
    said = "a library prints\n" + lines(*((name, None) for name in OPERATIONS[:count]))

    def run(argv: Sequence[str], seconds: float) -> CommandResult:
        folder = ("-m", "mpsdoctor.service.probe", "--folder", "/")
        assert (argv, seconds) == ((sys.executable, *folder), 10.0)
        return CommandResult(None, said, timed_out=True)

    hung = {OPERATIONS[count]: "no answer"} if count < len(OPERATIONS) else {}
    assert hung == try_folder(Path("/"), run)


def test_what_fails_is_named_and_a_child_that_crashes_says_nothing() -> None:
    """Each operation has its errno's name; without all five answers nobody can tell."""
    denied = lines(*((name, None if name == "list" else "EPERM") for name in OPERATIONS))
    crashed = lines(("list", None))

    assert dict.fromkeys(OPERATIONS[1:], "EPERM") == try_folder(
        Path("/"), lambda argv, seconds: CommandResult(0, denied)
    )
    assert None is try_folder(Path("/"), lambda argv, seconds: CommandResult(1, crashed))


def test_of_a_folder_that_does_not_exist_its_parent_is_tried(tmp_path: Path) -> None:
    """The daemon would make it there; the trial leaves nothing behind."""
    assert {} == try_folder(tmp_path / "a/b", run_command)
    assert [] == list(tmp_path.iterdir())


def test_each_operation_is_tried_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After one that fails the others are tried all the same, and the file is removed."""
    attempt(tmp_path)
    assert lines(*((name, None) for name in OPERATIONS)) == capsys.readouterr().out
    (tmp_path / f".mpsdoctor-probe-{os.getpid()}.moved").mkdir()
    attempt(tmp_path)
    assert capsys.readouterr().out == lines(
        ("list", None),
        ("write", None),
        ("read", None),
        ("rename", errno.errorcode[errno.EISDIR]),
        ("delete", errno.errorcode[errno.EISDIR if sys.platform == "linux" else errno.EPERM]),
    )
    assert [f".mpsdoctor-probe-{os.getpid()}.moved"] == os.listdir(tmp_path)  # noqa: PTH208
    attempt(tmp_path / "absent")
    assert lines(*((name, "ENOENT") for name in OPERATIONS)) == capsys.readouterr().out


@pytest.mark.parametrize("ask_gpu", [True, False])
def test_a_look_has_the_folder_the_variables_and_the_gpu_if_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask_gpu: bool
) -> None:
    """torch has a minute to answer; the program is the file behind the link."""
    monkeypatch.setenv("HF_HOME", "/models")
    asked: list[float] = []

    def run(argv: Sequence[str], seconds: float) -> CommandResult:
        asked.append(seconds)
        if argv[1:] == (str(torch_answer.PROBE),):
            return CommandResult(0, '{"outcome": "answered", "mps_available": true}\n')
        return CommandResult(0, lines(*((name, None) for name in OPERATIONS)))

    seen = look(tmp_path, ask_gpu, run)

    assert ([60.0, 10.0] if ask_gpu else [10.0]) == asked
    assert seen == Context(
        program=os.path.realpath(sys.executable),
        mps_available=True if ask_gpu else None,
        folder={},
        variables=seen.variables,
    )
    assert "/models" == seen.variables["HF_HOME"]


def test_the_answer_is_a_complete_file(tmp_path: Path) -> None:
    """Who waits for it never reads half of it."""
    output = tmp_path / "context.json"

    main([str(output), str(tmp_path)])

    seen = msgspec.json.decode(output.read_bytes(), type=Context)
    assert (os.path.realpath(sys.executable), None, {}) == (
        seen.program,
        seen.mps_available,
        seen.folder,
    )
    assert [output] == list(tmp_path.iterdir())
