"""`mpsdoctor plan`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from mpsdoctor.cli import main
from mpsdoctor.constants import ExitCode
from mpsdoctor.install_commands import install_line_here
from tests.support.machines import MACHINES

pytestmark = pytest.mark.heavy

FACTS = MACHINES
MAC = ["--facts", str(FACTS / "m2-pro-macos-14.7.4-torch-2.6.0.json")]
SDXL = "stabilityai/stable-diffusion-xl-base-1.0"


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that is wide enough, and a cache of one's own."""
    monkeypatch.setattr("mpsdoctor.paths.plans_folder", lambda: tmp_path / "plans")
    monkeypatch.setattr("mpsdoctor.cli.output._stdout.width", 160, raising=False)


def test_the_text_names_what_fits_and_why_the_rest_does_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Weights, limit and a line a size; an abort comes with its issue."""
    assert ExitCode.OK is main.run(["plan", SDXL, *MAC])
    lines = capsys.readouterr().out.splitlines()
    assert any("limit" in line and "21.3 GiB" in line for line in lines)
    assert any("1024×1024" in line and "native" in line for line in lines)
    assert any("2048×2048" in line and "aborts" in line and "bounded" in line for line in lines)
    assert any("pytorch #149261" in line for line in lines)


def test_a_wired_limit_is_the_limit_of_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    """As `check` has it: a GPU that may hold 8 GiB has no room for what 48 GB would take."""
    facts = ["--facts", str(FACTS / "m3-max-48gb-wired-limit-8gb.json")]
    assert ExitCode.FINDINGS is main.run(["plan", SDXL, "--size", "2048x2048", *facts])
    said = capsys.readouterr().out
    assert re.search(r"limit +8\.0 GiB +the limit set by iogpu\.wired_limit_mb", said)


def test_only_a_named_size_that_is_known_not_to_fit_is_a_finding(tmp_path: Path) -> None:
    """The usual sizes are an overview, and without a limit nobody knows what fits."""
    small = FACTS / "m3-max-48gb-wired-limit-8gb.json"
    facts = json.loads(small.read_text("utf-8"))
    facts["hardware"]["ram_bytes"] = None
    facts["memory"] = {}
    unknown = tmp_path / "facts.json"
    unknown.write_text(json.dumps(facts), "utf-8")
    named = ["plan", SDXL, "--size", "2048x2048", "--facts"]
    assert ExitCode.OK is main.run(["plan", SDXL, "--facts", str(small)])
    assert ExitCode.OK is main.run([*named, str(unknown)])
    assert ExitCode.FINDINGS is main.run([*named, str(small)])


def test_a_size_that_does_not_fit_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    """With the missing memory, and exit code 1."""
    arguments = ["plan", "Qwen/Qwen-Image", "--size", "1024x1024", *MAC]
    assert ExitCode.FINDINGS is main.run(arguments)
    said = capsys.readouterr().out
    assert "does not fit" in said
    assert "The weights alone exceed" in said


def test_json_has_bytes_for_each_stage_and_mode(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs read the same forecast."""
    main.run(["plan", SDXL, "--size", "1024x1024", "--format", "json", *MAC])
    plan = json.loads(capsys.readouterr().out)
    assert 1 == plan["schema_version"]
    [one] = plan["forecasts"]
    assert {"native", "bounded", "sliced"} == {o["setting"]["attention"] for o in one["outcomes"]}
    for outcome in one["outcomes"]:
        assert ["text", "denoiser", "decoder"] == [stage["name"] for stage in outcome["stages"]]
        for stage in outcome["stages"]:
            assert {"weights_bytes", "peak_bytes", "largest_buffer_bytes"} <= set(stage)
        peaks = [stage["peak_bytes"] for stage in outcome["stages"]]
        assert outcome["peak_bytes"] == one["weights_bytes"] + max(peaks)


def test_what_other_programs_hold_now_is_said_beside_the_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that fits the Mac, but not beside what is open, is not a finding."""
    facts = json.loads(Path(MAC[1]).read_text("utf-8"))
    ram = facts["hardware"]["ram_bytes"]
    facts["memory"] = {"in_use_bytes": ram - 2**33}
    crowded = tmp_path / "facts.json"
    crowded.write_text(json.dumps(facts), "utf-8")
    arguments = ["plan", SDXL, "--size", "1024x1024", "--facts", str(crowded)]

    assert ExitCode.OK is main.run(arguments)
    said = capsys.readouterr().out
    assert "they leave 8.0 GiB" in said
    assert re.search(r"1024×1024 fits this Mac, but not .* now: \d\.\d GiB are missing", said)
    assert "Close other programs." in said

    main.run([*arguments, "--format", "json"])
    plan = json.loads(capsys.readouterr().out)
    outcome = plan["forecasts"][0]["outcomes"][0]
    assert ram - 2**33 == plan["machine"]["in_use_bytes"]
    assert outcome["missing_now_bytes"] == outcome["peak_bytes"] - 2**33

    main.run(["plan", SDXL, *MAC])
    assert "in use" not in capsys.readouterr().out


def test_a_plan_is_for_the_number_format_that_renders_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The profile's for its model, the tuned one for others, and a variable's for every one; on a
    recorded Mac the one that is tuned for that."""
    profile = tmp_path / "profile.toml"
    profile.write_text(f'model = "{SDXL}"\ndtype = "bfloat16"\n')
    monkeypatch.setenv("MPSDOCTOR_PROFILE_FILE", str(profile))

    def planned(model: str, *machine: str) -> str:
        main.run(["plan", model, "--size", "512x512", "--format", "json", *machine])
        return str(json.loads(capsys.readouterr().out)["forecasts"][0]["dtype"])

    assert "bfloat16" == planned(SDXL)
    assert "float32" == planned("shapes")
    assert "float16" == planned(SDXL, *MAC)
    monkeypatch.setenv("MPSDOCTOR_DTYPE", "float16")
    assert "float16" == planned("shapes")


def test_the_plot_is_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With ink in every curve's colour."""
    path = tmp_path / "plan.png"
    assert ExitCode.OK is main.run(["plan", SDXL, *MAC, "--plot", str(path)])
    colours = {colour for _, colour in Image.open(path).convert("RGB").getcolors(10**6) or []}
    assert capsys.readouterr().err == f"Plot: {path}\n"
    assert {(0x17, 0x69, 0xAA), (0x1B, 0x8A, 0x5A), (0xC0, 0x39, 0x2B)} <= colours


def test_a_known_model_is_planned_without_torch_or_network(tmp_path: Path) -> None:
    """What ships is enough, even without a profile."""
    code = (
        "import sys; from mpsdoctor.cli import main; "
        f"assert main.run(['plan', '{SDXL}']) == 0; "
        "assert not {'torch', 'diffusers', 'huggingface_hub'} & set(sys.modules)"
    )
    environ = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    for name in [name for name in environ if name.startswith("MPSDOCTOR_")]:
        del environ[name]
    subprocess.run([sys.executable, "-c", code], env=environ, check=True, capture_output=True)


def test_an_unknown_id_without_a_network_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is invented for a model that nobody knows."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert ExitCode.FINDINGS is main.run(["plan", "nobody/nothing"])
    assert "HF_HUB_OFFLINE=1 forbids downloads" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["1024", "0x512", "ax512", "512x-1", "9x512", "512x123456", ""])
def test_a_size_is_two_numbers(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Anything else is a usage error."""
    assert ExitCode.USAGE is main.run(["plan", "shapes", "--size", size])
    error = f"Error: Invalid value for '--size': {size!r} is not a size such as 1024x768."
    assert error == capsys.readouterr().err.splitlines()[-1]


def test_sizes_formats_and_attention_are_those_that_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each size once, in order; by default five sizes, three modes, and the tuned format."""

    def planned(*options: str) -> tuple[ExitCode, list[tuple[object, ...]]]:
        code = main.run(["plan", SDXL, "--format", "json", *options, *MAC])
        plan = json.loads(capsys.readouterr().out)
        assert (plan["tuned"] is None) is bool({"--dtype", "--attention"} & {*options})
        return code, [
            (
                one["width"],
                one["height"],
                one["dtype"],
                list(dict.fromkeys(o["setting"]["attention"] for o in one["outcomes"])),
            )
            for one in plan["forecasts"]
        ]

    modes = ["native", "bounded", "sliced"]
    sides = (512, 768, 1024, 1536, 2048)
    assert (ExitCode.OK, [(side, side, "float16", modes) for side in sides]) == planned()
    assert planned("--size", "1024x768", "--size", "512×512", "--size", "1024x768") == (
        ExitCode.OK,
        [(1024, 768, "float16", modes), (512, 512, "float16", modes)],
    )
    assert planned("--size", "512x512", "--attention", "sliced", "--dtype", "float32") == (
        ExitCode.OK,
        [(512, 512, "float32", ["sliced"])],
    )


def test_a_plot_that_cannot_be_made_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder is not there, the ending means no picture, or Pillow is missing."""

    def error(path: Path) -> list[str]:
        plan = ["plan", SDXL, "--size", "512x512", "--plot", str(path)]
        assert ExitCode.FINDINGS is main.run([*plan, *MAC])
        return capsys.readouterr().err.splitlines()

    absent, odd = tmp_path / "absent" / "plan.png", tmp_path / "plan.xyz"
    assert [
        f"Error: The plot cannot be written to {absent}",
        f"  [Errno 2] No such file or directory: '{absent}'",
        "  Name a .png file.",
    ] == error(absent)
    assert [
        f"Error: The plot cannot be written to {odd}",
        "  unknown file extension: .xyz",
        "  Name a .png file.",
    ] == error(odd)
    monkeypatch.setitem(sys.modules, "mpsdoctor.planning.plot", None)
    title, detail, hint = error(tmp_path / "plan.png")
    assert "Error: A plot needs Pillow, which is not installed" == title
    assert "mpsdoctor.planning.plot" in detail
    assert f"  Install it: {install_line_here('pillow')}" == hint
    assert [] == list(tmp_path.iterdir())
