"""Steps are done whole or not at all, and taken back without losing anything."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.fixing import act
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
    done = snapshot(root)
    undone = act.undo(record)

    assert {
        "hot": None,
        "hot/inbox": None,
        "profile.aside.toml": OLD,
        "profile.toml": NEW,
    } == done
    assert [
        act.Undone(f"removed {root}/hot/inbox"),
        act.Undone(f"removed {root}/hot"),
        act.Undone(f"restored {root}/profile.toml"),
        act.Undone(f"removed {root}/profile.aside.toml"),
    ] == undone
    assert before == snapshot(root)
    assert [] == act.undo(record)
    assert not record.exists()


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

    with pytest.raises(MpsDoctorError, match="everything is as it was") as failed:
        act.apply(todo, record)

    assert before == snapshot(root)
    assert named in failed.value.detail
    assert in_the_way in failed.value.detail
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

    assert "everything is as it was before" in ended.stderr
    assert ["profile.toml"] == [path.name for path in tmp_path.iterdir()]


def test_where_nothing_can_be_recorded_nothing_is_done(root: Path, tmp_path: Path) -> None:
    """A step that cannot be recorded is not done."""
    (tmp_path / "state").write_text("a file")
    before = snapshot(root)

    with pytest.raises(MpsDoctorError, match="everything is as it was"):
        act.apply(steps(root), tmp_path / "state" / "undo.json")

    assert before == snapshot(root)


def test_a_folder_that_appears_meanwhile_is_not_taken_away(root: Path, record: Path) -> None:
    """A folder that somebody else made is not removed."""
    (root / "hot" / "inbox").mkdir(parents=True)

    act.apply(steps(root), record)
    act.undo(record)

    assert {"hot": None, "hot/inbox": None, "profile.toml": OLD} == snapshot(root)


def test_a_profile_that_is_edited_meanwhile_is_not_written_over(root: Path, record: Path) -> None:
    """An edit between the plan and the fix is kept."""
    todo = steps(root)
    (root / "profile.toml").write_bytes(b"mine")

    with pytest.raises(MpsDoctorError) as failed:
        act.apply(todo, record)

    assert "changed in the meantime" in failed.value.detail
    assert {"profile.toml": b"mine"} == snapshot(root)


def test_what_was_changed_since_stays_and_nothing_is_lost(root: Path, record: Path) -> None:
    """An edited file and a folder in use stay, and can be undone later."""
    act.apply(steps(root), record)
    (root / "profile.toml").write_bytes(b"mine")
    (root / "hot" / "prompt.txt").write_text("a cat")

    refused = [result.text for result in act.undo(record) if result.refused]

    kept = {"hot": None, "hot/prompt.txt": b"a cat", "profile.toml": b"mine"}
    assert kept | {"profile.aside.toml": OLD} == snapshot(root)
    assert [
        f"{root}/hot was not changed: Directory not empty",
        f"{root}/profile.toml was not restored: it was changed after the fix",
        f"{root}/profile.aside.toml was not removed: {root}/profile.toml differs from it",
    ] == refused

    (root / "profile.toml").write_bytes(NEW)
    (root / "hot" / "prompt.txt").unlink()
    assert not any(result.refused for result in act.undo(record))
    assert {"profile.toml": OLD} == snapshot(root)


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
