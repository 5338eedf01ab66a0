"""Steps are done whole or not at all, and taken back without losing anything."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.fixing import act, journal
from mpsdoctor.fixing.step import KeepCopy, MakeFolder, Step, WriteFile
from tests.support.killed_fix import NEW, OLD, snapshot, steps


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a profile in it."""
    root = tmp_path / "tree"
    root.mkdir()
    (root / "profile.toml").write_bytes(OLD)
    return root


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """The record of a fix, in a folder that does not exist yet."""
    return tmp_path / "state" / "undo.json"


def test_a_fix_is_done_and_undone_and_then_there_is_nothing_to_undo(
    root: Path, record: Path
) -> None:
    """After undo the tree is the same, byte for byte, and every step is reported."""
    before = snapshot(root)

    act.apply(steps(root), record)
    done, recorded = snapshot(root), journal.read(record)
    undone = act.undo(record)

    assert {
        "hot": None,
        "hot/inbox": None,
        "profile.aside.toml": OLD,
        "profile.toml": NEW,
    } == done
    assert steps(root) == recorded
    assert [
        act.Undone(f"removed {root}/hot/inbox"),
        act.Undone(f"removed {root}/hot"),
        act.Undone(f"restored {root}/profile.toml"),
        act.Undone(f"removed {root}/profile.aside.toml"),
    ] == undone
    assert before == snapshot(root)
    assert [] == act.undo(record)
    assert not record.exists()


@pytest.mark.heavy
def test_killed_anywhere_a_fix_can_be_undone(tmp_path: Path) -> None:
    """A process is killed before each line that it runs; after undo nothing differs."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.support.killed_fix", str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (ended.returncode, ended.stderr)
    assert int(ended.stdout) > 50


@st.composite
def plans(draw: st.DrawFn) -> tuple[dict[str, bytes], list[tuple[str, ...]]]:
    """Files with their content, and any steps that name them."""
    names = st.sampled_from(["a", "b", "c"])
    files = draw(st.dictionaries(names, st.binary(max_size=9), min_size=1))
    existing = st.sampled_from(sorted(files))
    kinds = st.one_of(
        st.tuples(st.just("folder"), st.sampled_from(["d", "d/e", "d/e/f", "a", "none/g"])),
        st.tuples(st.just("copy"), existing, st.sampled_from(["x", "y", "a"])),
        st.tuples(st.just("write"), existing),
    )
    return files, draw(st.lists(kinds, max_size=6))


def step_of(root: Path, files: dict[str, bytes], step: tuple[str, ...], after: bytes) -> Step:
    kind, name, *to = step
    path = str(root / name)
    if kind == "folder":
        return MakeFolder(path=path)
    if kind == "copy":
        return KeepCopy(path=path, to=str(root / to[0]))
    before, files[name] = files[name], after
    return WriteFile(path=path, before=before, after=after)


@pytest.mark.heavy
@given(plans(), st.binary(max_size=9))
def test_any_steps_leave_the_tree_as_it_was(
    tmp_path_factory: pytest.TempPathFactory,
    plan: tuple[dict[str, bytes], list[tuple[str, ...]]],
    after: bytes,
) -> None:
    """Steps that succeed can be undone; if one fails, all are undone at once."""
    files, wanted = plan
    folder = tmp_path_factory.mktemp("any")
    root, record = folder / "tree", folder / "undo.json"
    root.mkdir()
    for name, content in files.items():
        (root / name).write_bytes(content)
    before = snapshot(root)
    todo = [step_of(root, files, step, after) for step in wanted]

    try:
        act.apply(todo, record)
    except MpsDoctorError:
        assert before == snapshot(root)
    assert not any(result.refused for result in act.undo(record))
    assert before == snapshot(root)


@pytest.mark.parametrize(
    ("in_the_way", "named"),
    [
        ("hot", "File exists"),
        ("profile.aside.toml", "File exists"),
        ("hot/inbox", "Not a directory"),
    ],
)
def test_a_step_that_fails_takes_those_before_it_with_it(
    root: Path, record: Path, in_the_way: str, named: str
) -> None:
    """An obstacle stays and is named, and the fix before this one can still be undone."""
    act.apply([MakeFolder(path=str(root / "earlier"))], record)
    (root / in_the_way.split("/")[0]).write_bytes(b"mine")
    before = snapshot(root)
    todo = steps(root)
    if "/" in in_the_way:
        todo = (*todo[:2], todo[3])

    with pytest.raises(MpsDoctorError) as failed:
        act.apply(todo, record)

    error = failed.value
    assert before == snapshot(root)
    assert (
        "The fix failed; everything is as it was before",
        f"{root}/{in_the_way}: {named}.",
        "Fix the cause, then run `mpsdoctor check --fix` again.",
    ) == (error.title, error.detail, error.hint)
    assert [act.Undone(f"removed {root}/earlier")] == act.undo(record)


def test_a_disk_that_fills_up_in_the_middle_of_a_file_keeps_no_part_of_it(tmp_path: Path) -> None:
    """A write that fails halfway leaves no partial copy."""
    (tmp_path / "profile.toml").write_bytes(bytes(2**20))
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from mpsdoctor.fixing import act, step\n"
        "copy = step.KeepCopy(path='profile.toml', to='profile.aside.toml')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, 2**16))\n"
        "act.apply([copy], Path('undo.json'))\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (
        "The fix failed; everything is as it was before\n"
        "[Errno 27] File too large.\n"
        "Fix the cause, then run `mpsdoctor check --fix` again.\n"
    ) in ended.stderr
    assert ["profile.toml"] == [path.name for path in tmp_path.iterdir()]


def test_where_nothing_can_be_recorded_nothing_is_done(root: Path, tmp_path: Path) -> None:
    """A step that cannot be recorded is not done."""
    (tmp_path / "state").write_text("a file")
    before = snapshot(root)

    with pytest.raises(MpsDoctorError, match="everything is as it was"):
        act.apply(steps(root), tmp_path / "state" / "undo.json")

    assert before == snapshot(root)


def test_a_folder_that_appears_meanwhile_is_not_taken_away(root: Path, record: Path) -> None:
    """A folder that somebody else made is not removed, and is not in the record."""
    (root / "hot" / "inbox").mkdir(parents=True)

    act.apply(steps(root)[2:], record)
    assert not record.exists()

    act.apply(steps(root), record)
    assert steps(root)[:2] == journal.read(record)
    act.undo(record)

    assert {"hot": None, "hot/inbox": None, "profile.toml": OLD} == snapshot(root)


def test_a_profile_that_is_edited_meanwhile_is_not_written_over(root: Path, record: Path) -> None:
    """An edit between the plan and the fix is kept."""
    todo = steps(root)
    (root / "profile.toml").write_bytes(b"mine")

    with pytest.raises(MpsDoctorError) as failed:
        act.apply(todo, record)

    assert f"{root}/profile.toml: It has changed in the meantime." == failed.value.detail
    assert {"profile.toml": b"mine"} == snapshot(root)
    assert not record.exists()


def test_what_was_changed_since_stays_and_nothing_is_lost(root: Path, record: Path) -> None:
    """An edited file and a folder in use stay in the tree and the record, and are undone later."""
    act.apply(steps(root), record)
    (root / "profile.toml").write_bytes(b"mine")
    (root / "hot" / "prompt.txt").write_text("a cat")

    undone = act.undo(record)

    kept = {"hot": None, "hot/prompt.txt": b"a cat", "profile.toml": b"mine"}
    assert kept | {"profile.aside.toml": OLD} == snapshot(root)
    assert [
        act.Undone(f"removed {root}/hot/inbox"),
        act.Undone(f"{root}/hot was not changed: Directory not empty", refused=True),
        act.Undone(
            f"{root}/profile.toml was not restored: it was changed after the fix", refused=True
        ),
        act.Undone(
            f"{root}/profile.aside.toml was not removed: {root}/profile.toml differs from it",
            refused=True,
        ),
    ] == undone
    assert steps(root)[:3] == journal.read(record)

    (root / "profile.toml").write_bytes(NEW)
    (root / "hot" / "prompt.txt").unlink()
    assert [
        act.Undone(f"removed {root}/hot"),
        act.Undone(f"restored {root}/profile.toml"),
        act.Undone(f"removed {root}/profile.aside.toml"),
    ] == act.undo(record)
    assert {"profile.toml": OLD} == snapshot(root)
    assert not record.exists()


def test_what_is_undone_by_hand_is_not_undone_again(root: Path, record: Path) -> None:
    """Each step that somebody has undone already is reported as such."""
    act.apply(steps(root), record)
    (root / "hot" / "inbox").rmdir()
    (root / "hot").rmdir()
    (root / "profile.toml").write_bytes(OLD)
    (root / "profile.aside.toml").unlink()

    assert [
        act.Undone(f"{root}/hot/inbox is already removed"),
        act.Undone(f"{root}/hot is already removed"),
        act.Undone(f"{root}/profile.toml is already restored"),
        act.Undone(f"{root}/profile.aside.toml is already removed"),
    ] == act.undo(record)
    assert {"profile.toml": OLD} == snapshot(root)


@pytest.mark.skipif(sys.platform != "linux", reason="uses a file of Linux that is never the same")
def test_a_failed_fix_that_cannot_be_undone_says_what_is_left(root: Path, record: Path) -> None:
    """The error names the cause and each refused step, and the record keeps only these."""
    changing = "/proc/sys/kernel/random/uuid"
    copy = KeepCopy(path=changing, to=str(root / "copy"))
    todo = (
        copy,
        MakeFolder(path=str(root / "hot")),
        WriteFile(path=str(root / "profile.toml"), before=b"other", after=NEW),
        MakeFolder(path=str(root / "never")),
    )

    with pytest.raises(MpsDoctorError) as failed:
        act.apply(todo, record)

    error = failed.value
    left = f"{root}/copy was not removed: {changing} differs from it"
    assert (
        "The fix failed, and part of it could not be undone",
        f"{root}/profile.toml: It has changed in the meantime. {left}",
        "Fix the cause, then run `mpsdoctor check --undo`.",
    ) == (error.title, error.detail, error.hint)
    assert ["copy", "profile.toml"] == list(snapshot(root))
    assert (copy,) == journal.read(record)
    assert [act.Undone(left, refused=True)] == act.undo(record)


@pytest.mark.skipif(sys.platform != "linux", reason="uses a file of Linux that cannot be removed")
def test_an_undo_that_cannot_be_recorded_says_what_it_did(root: Path, record: Path) -> None:
    """Steps stay undone, and undoing them again finds nothing to do."""
    act.apply(steps(root)[2:], record)
    with record.open("rb") as file:
        fixed = Path(f"/proc/self/fd/{file.fileno()}")
        with pytest.raises(MpsDoctorError) as failed:
            act.undo(fixed)

    error = failed.value
    assert (
        "The undo cannot be recorded",
        f"{fixed}: Operation not permitted. Done:\nremoved {root}/hot/inbox\nremoved {root}/hot",
        "Make that file writable and undo again. Steps that are already undone stay so.",
    ) == (error.title, error.detail, error.hint)
    assert {"profile.toml": OLD} == snapshot(root)
    assert not any(result.refused for result in act.undo(record))


def test_a_record_that_cannot_be_read_is_neither_used_nor_written_over(
    root: Path, record: Path
) -> None:
    """A damaged record is neither used nor overwritten."""
    record.parent.mkdir()
    record.write_text("{}")

    with pytest.raises(MpsDoctorError, match="cannot be read"):
        act.undo(record)
    with pytest.raises(MpsDoctorError, match="cannot be read"):
        act.apply(steps(root), record)

    assert "{}" == record.read_text()
    assert {"profile.toml": OLD} == snapshot(root)
