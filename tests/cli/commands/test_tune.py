"""`mpsdoctor tune`."""

from pathlib import Path

import msgspec
import pytest

from mpsdoctor.cli import main
from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts import collect
from mpsdoctor.facts.measurement import Measurement
from mpsdoctor.facts.records import Facts
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import Value
from mpsdoctor.tuning import candidates, measure
from mpsdoctor.tuning.measure import Settings
from tests.support.machines import MACHINES
from tests.support.pipelines import stable_diffusion

pytestmark = pytest.mark.heavy

MAC = msgspec.json.decode(
    (MACHINES / "m2-pro-macos-14.7.4-torch-2.6.0.json").read_bytes(), type=Facts
)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The commands examine a recorded Mac, and find no folder of this machine."""
    monkeypatch.setattr(collect, "collect", lambda **_: MAC)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def test_real_processes_render_and_say_how_long_a_step_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings that have nothing to be compared with stay, and are seen to give a picture."""
    folder, profile = tmp_path / "model", tmp_path / "profile.toml"
    stable_diffusion(tmp_path / "tokenizer").save_pretrained(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(candidates, "candidates", lambda *_: [])

    code = main.run(["tune", str(folder), "--steps", "3", "--profile", str(profile)])

    line, verdict = capsys.readouterr().out.splitlines()
    assert ExitCode.OK is code
    assert line.endswith(" s a step")
    assert verdict.startswith("Nothing was shown to be 3 % faster than ")
    assert read(profile).reasons["attention"].endswith(", no difference")


class Steps:
    """What processes measure: each time 1 % more, and a fifth less with the settings named."""

    def __init__(self, **faster: Value) -> None:
        self.faster = faster.items()
        self.measurements = 0

    def __call__(self, settings: Settings, *_: object, **__: object) -> Measurement:
        self.measurements += 1
        share = 0.8 if self.faster <= settings.items() else 1.0
        return Measurement(step_seconds=(share * 1.01**self.measurements,))


def read(profile: Path) -> document.Document:
    return document.read(profile.read_text("utf-8"))


@pytest.mark.usefixtures("recorded")
def test_only_what_is_shown_to_be_faster_is_written_and_then_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run, in which nothing differs, and a check with the same releases leave it."""
    profile = tmp_path / "profile.toml"
    tune = ["tune", "shapes", "--profile", str(profile)]
    check = ["check", "--model", "shapes", "--profile", str(profile)]
    main.run(check)
    before = dict(read(profile).values)
    capsys.readouterr()

    monkeypatch.setattr(measure, "measure_settings", Steps())
    assert ExitCode.OK is main.run(tune)
    same = capsys.readouterr()
    assert before == read(profile).values
    assert "Nothing was shown to be 3 % faster than native attention" in same.out
    assert read(profile).reasons["attention"].endswith(", no difference")

    monkeypatch.setattr(measure, "measure_settings", Steps(attention="bounded"))
    assert ExitCode.OK is main.run(tune)
    assert "25 % faster than native attention" in capsys.readouterr().out
    faster = read(profile)
    assert before | {"attention": "bounded", "attention_budget": 1024} == faster.values
    assert faster.reasons["attention"].startswith("Measured with torch ")

    monkeypatch.setattr(measure, "measure_settings", Steps())
    assert ExitCode.OK is main.run(tune)
    main.run(check)
    assert faster.values == read(profile).values
    assert faster.reasons["attention"] == read(profile).reasons["attention"]


def ends(monkeypatch: pytest.MonkeyPatch, *found: Measurement) -> list[dict[str, object]]:
    """The current settings are measured so, the last result again and again; others work.

    Returns how each was asked for.
    """
    asked: list[dict[str, object]] = []
    current = iter(found)

    def measure_settings(
        settings: Settings, steps: int, run: object, *, watch_memory: bool
    ) -> Measurement:
        asked.append({**settings, "steps": steps, "watch_memory": watch_memory})
        is_current = settings["attention"] == "native"
        return next(current, found[-1]) if is_current else GOOD

    monkeypatch.setattr(measure, "measure_settings", measure_settings)
    if len(found) == 1:
        monkeypatch.setattr(candidates, "candidates", lambda *_: [])
    return asked


SHORT = Measurement(problem="memory pressure was warning meanwhile", short_of_memory=True)
NAN = Measurement(problem="the picture has NaN")
GOOD = Measurement(step_seconds=(1.0,))
CLOSE = "Close other programs, or choose a smaller size or model: `mpsdoctor plan`."
KNOWN = "`mpsdoctor check` looks for known faults."


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("found", "error", "line"),
    [
        (
            [SHORT],
            "None of the measured settings gave a picture with enough memory\n"
            f"  The profile is unchanged.\n  {CLOSE}",
            SHORT.problem,
        ),
        (
            [NAN],
            f"None of the measured settings gave a picture\n  The profile is unchanged.\n  {KNOWN}",
            NAN.problem,
        ),
        (
            [GOOD, NAN],
            "{current} failed twice after it had worked\n"
            f"  {NAN.problem}. The profile is unchanged.\n  {KNOWN}",
            NAN.problem,
        ),
        (
            [GOOD, SHORT],
            "{current} failed twice after it had worked\n"
            f"  {SHORT.problem}. The profile is unchanged.\n  {CLOSE}",
            SHORT.problem,
        ),
    ],
)
def test_settings_that_give_no_picture_leave_the_profile(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: list[Measurement],
    error: str,
    line: str,
) -> None:
    """The error says whether memory or the settings are to blame, and what to do."""
    profile = tmp_path / "profile.toml"
    asked = ends(monkeypatch, *found)

    assert ExitCode.FINDINGS is main.run(["tune", "--steps", "7", "--profile", str(profile)])

    shown = capsys.readouterr()
    current, _, problem = shown.out.splitlines()[0].partition(": ")
    assert problem == line
    assert shown.err.partition("Error: ")[2] == f"{error.format(current=current)}\n"
    assert {("shapes", 7, True)} == {
        (one["model"], one["steps"], one["watch_memory"]) for one in asked
    }
    assert not profile.exists()


@pytest.mark.usefixtures("recorded")
def test_a_model_that_cannot_be_loaded_ends_the_measurements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No other setting is tried after the first, and nothing is written."""
    profile = tmp_path / "profile.toml"
    asked: list[object] = []

    def absent(settings: Settings, *_: object, **__: object) -> Measurement:
        asked.append(settings)
        raise MpsDoctorError("It cannot be loaded", hint="mpsdoctor pull nobody/no-such-model")

    monkeypatch.setattr(measure, "measure_settings", absent)

    code = main.run(["tune", "nobody/no-such-model", "--profile", str(profile)])

    assert ExitCode.FINDINGS is code
    assert 1 == len(asked)
    assert not profile.exists()
    assert capsys.readouterr() == (
        "",
        "nobody/no-such-model is not on this machine yet. To download it: mpsdoctor pull "
        "nobody/no-such-model\n"
        "Error: It cannot be loaded\n  mpsdoctor pull nobody/no-such-model\n",
    )
