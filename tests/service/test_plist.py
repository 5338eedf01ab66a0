"""The property list, and what goes into it."""

import plistlib
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.service import plist
from mpsdoctor.service.agent import PROBE, Agent
from mpsdoctor.service.environment import snapshot

AGENT = Agent(Path("/Users/jo & doe"), 501)
PYTHON = "/Users/jo & doe/env <1>/bin/python"
OPTIONS = ("--dir", "/Users/jo & doe/prompts", "--profile", "/Users/jo & doe/p.toml")
SECRETS = {
    "HF_TOKEN": "hf_abcdefghijklmnop",
    "HUGGING_FACE_HUB_TOKEN": "hf_abcdefghijklmnop",
    "HF_HOME": "https://jo:secret@example.org/",
    "HF_ENDPOINT": "https://jo:secret@example.org",
    "MPSDOCTOR_API_KEY": "0123",
    "MPSDOCTOR_MODEL": "hf_abcdefghijklmnop",
    "AWS_SECRET_ACCESS_KEY": "0123",
}


XML = '<?xml version="1.0"?>'
BEYOND_ALL_DATES = (
    b"bplist00\x33" + struct.pack(">d", 1e300) + b"\x08" + struct.pack(">6xBBQQQ", 1, 1, 1, 0, 17)
)
"""A binary list that is one date, which no calendar has."""


def rendered(version: str = "1.0", profile: str = "", **environment: str) -> bytes:
    """A list with everything in it."""
    return plist.render(AGENT, PYTHON, OPTIONS, environment, version, profile.encode())


def test_it_holds_what_the_daemon_needs() -> None:
    """launchd's own defaults would throttle the GPU, kill after 5 s and allow 256 files."""
    content = plistlib.loads(rendered(HF_HOME="/Users/jo/hf"))

    log = "/Users/jo & doe/Library/Logs/mpsdoctor/watch.stderr.log"
    assert content == {
        "Label": "io.github.mpsdoctor.watch",
        "ProgramArguments": [PYTHON, "-m", "mpsdoctor", "watch", "--quiet", *OPTIONS],
        "ProcessType": "Interactive",
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 30,
        "ExitTimeOut": 30,
        "SoftResourceLimits": {"NumberOfFiles": 10240},
        "StandardOutPath": log,
        "StandardErrorPath": log,
        "EnvironmentVariables": {"HF_HOME": "/Users/jo/hf"},
    }


def test_the_same_settings_give_the_same_bytes() -> None:
    """Whatever the order in which they come, and with them the list is up to date."""
    one, other = rendered(A="1", B="2"), rendered(B="2", A="1")

    assert one == other
    assert () == plist.changes(one, other)


def test_what_would_change_is_named_without_its_value() -> None:
    """Version, profile, keys and variables; a token that somebody wrote in is not shown."""
    edited = plistlib.loads(rendered(HF_TOKEN="hf_abcdefghijklmnop", HF_HOME="/a"))
    edited["ProcessType"] = "Background"
    before = plistlib.dumps(edited)

    changes = plist.changes(before, rendered("2.0", HF_HOME="/b"))

    assert changes == (
        "mpsdoctor ?, now 2.0",
        "profile",
        "ProcessType",
        "EnvironmentVariables.HF_HOME",
        "EnvironmentVariables.HF_TOKEN",
    )
    assert ("mpsdoctor 1.0, now 2.0",) == plist.changes(rendered("1.0"), rendered("2.0"))
    assert ("profile",) == plist.changes(rendered(), rendered(profile='model = "other"'))


def test_an_installed_list_says_what_was_chosen() -> None:
    """From a damaged list, nothing is read; from another program's, its interpreter."""
    assert OPTIONS == plist.arguments(rendered())
    assert PYTHON == plist.interpreter(rendered())
    assert {"HF_HOME": "/hf"} == plist.variables(rendered(HF_HOME="/hf"))
    for damaged in (
        None,
        b"",
        b"<plist>",
        b"<?xml version='1.0'?><plist><dict><key>",
        b"<?xml version='1.0'?><plist><date>tomorrow</date></plist>",
        b"<?xml version='1.0'?><plist><key>ProgramArguments</key></plist>",
        BEYOND_ALL_DATES,
        plistlib.dumps([1]),
        plistlib.dumps({"A": 1}),
        plistlib.dumps({"ProgramArguments": "python", "EnvironmentVariables": ["A"]}),
        plistlib.dumps({"ProgramArguments": [], "EnvironmentVariables": {"A": 1}}),
    ):
        assert ((), None, {}) == (
            plist.arguments(damaged),
            plist.interpreter(damaged),
            plist.variables(damaged),
        )


def test_another_programs_arguments_are_not_ours() -> None:
    """What launchd would not pass on is left out."""
    other = plistlib.dumps(
        {
            "ProgramArguments": ["/bin/sh", "-m", "mpsdoctor", "check", "--quick", 1],
            "EnvironmentVariables": {"A": "1", "B": 2},
        }
    )

    assert "/bin/sh" == plist.interpreter(other)
    assert () == plist.arguments(other)
    assert {"A": "1"} == plist.variables(other)


TAGS = ["plist", "dict", "array", "key", "string", "integer", "real", "true", "date", "data"]
TREES: st.SearchStrategy[str] = st.recursive(
    st.sampled_from(["", "a", "1", "0x", "!"]),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>",
        st.sampled_from(TAGS),
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)


@given(st.binary() | st.text().map(str.encode) | TREES.map(lambda tree: (XML + tree).encode()))
def test_any_file_is_read(content: bytes) -> None:
    """Somebody else's file in that place is nothing of ours."""
    assert isinstance(plist.changes(content, rendered()), tuple)


def test_a_probe_runs_once_with_the_daemons_variables_and_limits() -> None:
    """If a key was removed from the daemon's list, the probe does without it, too."""
    agent = Agent(AGENT.home, 501, PROBE)
    edited = plistlib.loads(rendered(HF_HOME="/hf"))
    expected = {
        "Label": "io.github.mpsdoctor.probe",
        "ProgramArguments": [PYTHON, "-c", "1"],
        "RunAtLoad": True,
        "LaunchOnlyOnce": True,
        "StandardOutPath": "/log",
        "StandardErrorPath": "/log",
        "ProcessType": "Interactive",
        "SoftResourceLimits": {"NumberOfFiles": 10240},
        "EnvironmentVariables": {"HF_HOME": "/hf"},
    }
    for removed in ("", "ProcessType", "SoftResourceLimits", "EnvironmentVariables"):
        edited.pop(removed, None)
        expected.pop(removed, None)
        probe = plist.render_probe(plistlib.dumps(edited), agent, [PYTHON, "-c", "1"], Path("/log"))
        assert plistlib.loads(probe) == expected


@pytest.mark.parametrize("kind", ["agent", "probe"])
def test_a_validator_of_apples_format_accepts_it(kind: str, tmp_path: Path) -> None:
    """libimobiledevice's plistutil reads it and finds the same keys."""
    if not shutil.which("plistutil"):
        pytest.skip("plistutil is not installed (Debian: libplist-utils)")
    agent = rendered(HF_HOME="/Users/jo & doe/hf <2>")
    command = [PYTHON, "-c", "1"]
    probe = plist.render_probe(agent, Agent(AGENT.home, 501, PROBE), command, tmp_path / "log")
    source, binary = tmp_path / "list.plist", tmp_path / "list.bin"
    content = {"agent": agent, "probe": probe}[kind]
    source.write_bytes(content)

    convert = ["plistutil", "-i", str(source), "-o", str(binary), "-f", "bin"]
    read = subprocess.run(convert, capture_output=True, text=True, check=False)

    assert (0, "") == (read.returncode, read.stderr)
    assert plistlib.loads(content) == plistlib.loads(binary.read_bytes())


def test_the_profile_and_the_shell_give_what_launchd_has_not() -> None:
    """PyTorch's variables come from the profile; the daemon downloads nothing."""
    profile = {"PYTORCH_ENABLE_MPS_FALLBACK": "1", "HF_HOME": "/profile", "HF_HUB_OFFLINE": "0"}
    taken = {
        "HF_ENDPOINT": "https://mirror.example",
        "HF_HOME": "/shell",
        "HF_HUB_CACHE": "/cache",
        "HUGGINGFACE_HUB_CACHE": "/cache",
        "TRANSFORMERS_OFFLINE": "1",
        "XDG_CACHE_HOME": "/cache",
        "MPSDOCTOR_DEVICE": "cpu",
    }
    left = {"PYTORCH_MPS_HIGH_WATERMARK_RATIO": "0.0", "PATH": "/opt/bin", "HF_HUB_OFFLINE": "0"}

    variables = snapshot(profile, taken | left)

    assert variables == taken | {"HF_HUB_OFFLINE": "1", "PYTORCH_ENABLE_MPS_FALLBACK": "1"}
    assert list(variables) == sorted(variables)


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("source", ["profile", "shell"])
def test_no_secret_goes_into_it(name: str, source: str) -> None:
    """Not a token by its name, nor one by its look, nor a password in an address."""
    held = {name: SECRETS[name]}

    assert {"HF_HUB_OFFLINE": "1"} == (
        snapshot(held, {}) if source == "profile" else snapshot({}, held)
    )


@given(st.dictionaries(st.sampled_from(["HF_HOME", "MPSDOCTOR_X"]), st.text()))
def test_any_value_gives_a_list(shell: dict[str, str]) -> None:
    """What XML cannot hold is left out."""
    environment = snapshot({}, shell)

    assert environment == plist.variables(rendered(**environment))
