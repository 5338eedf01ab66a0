"""The log file, in real files."""

import logging
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from mpsdoctor.cli.commands.watch import Shown, logged

logger = logging.getLogger("mpsdoctor.test")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _open_umask() -> object:
    """The user's umask lets everybody read."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_it_is_private_from_the_start_and_after_each_rotation(tmp_path: Path) -> None:
    """Five files of at most 1 MB that only their owner can read, the newest lines first."""
    path = tmp_path / "logs" / "daemon.log"
    with logged(path, shown="never"):
        assert 0o600 == mode(path)
        for number in range(60):
            logger.info("%d %s", number, "x" * 100_000)
    kept = sorted(path.parent.iterdir())
    assert [path.name, *(f"daemon.log.{n}" for n in range(1, 5))] == [one.name for one in kept]
    assert {0o600} == {mode(one) for one in kept}
    assert 0o700 == mode(path.parent)
    assert all(one.stat().st_size <= 1_000_000 for one in kept)
    assert " 59 xxx" in path.read_text()
    assert all(" 0 xxx" not in one.read_text() for one in kept)


def test_one_that_everybody_could_read_is_made_private(tmp_path: Path) -> None:
    """New lines are appended."""
    path = tmp_path / "daemon.log"
    path.write_text("before\n")
    path.chmod(0o644)
    with logged(path, shown="never"):
        logger.info("after")
    assert 0o600 == mode(path)
    first, second = path.read_text().splitlines()
    assert "before" == first
    assert second.endswith(" after")


def test_lines_are_shown_where_nobody_has_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr as in the file, with their time; later lines go to neither."""
    path = tmp_path / "daemon.log"
    with logged(path, shown="always"):
        logger.info("%s", "one [bold]:heart:[/bold]")
        logger.debug("worker: what it complains of may hold a prompt")
    logger.warning("later")
    assert path.read_text() == capsys.readouterr().err
    assert path.read_text().endswith(" one [bold]:heart:[/bold]\n")
    with logged(path, shown="never"):
        logger.info("two")
    assert "" == capsys.readouterr().err


def test_launchd_gets_no_second_copy_of_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is in the file is not printed as well."""
    path = tmp_path / "daemon.log"
    with logged(path, shown="without a file"):
        logger.info("one")
    assert path.read_text().endswith(" one\n")
    assert "" == capsys.readouterr().err


@pytest.mark.parametrize("shown", ["always", "without a file"])
def test_without_a_place_to_write_there_is_just_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shown: Shown
) -> None:
    """The daemon runs all the same, the user is told, and the lines are printed."""
    (tmp_path / "file").write_text("")
    with logged(tmp_path / "file" / "daemon.log", shown=shown):
        logger.info("on")
    told = capsys.readouterr().err
    missing, line = told.splitlines()
    assert f"There is no log file: {tmp_path}/file/daemon.log: File exists" == missing
    assert line.endswith(" on")


def _fill_the_disk(path: Path) -> None:
    """`ENOSPC` by a limit of this process's own: the file may not grow beyond a few lines."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with logged(path, shown="never"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
        for number in range(20):
            logger.info("line %d", number)


def test_a_full_disk_ends_the_log_and_nothing_else(tmp_path: Path) -> None:
    """No exception and no traceback: the daemon itself says that the disk is full."""
    path = tmp_path / "daemon.log"
    child = multiprocessing.get_context("spawn").Process(target=_fill_the_disk, args=(path,))
    child.start()
    child.join(30)
    assert 0 == child.exitcode
    assert 0 < path.stat().st_size <= 300
