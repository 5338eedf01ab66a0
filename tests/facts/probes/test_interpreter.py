"""What this Python and real ones in child processes report about themselves."""

import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import partial
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mpsdoctor.constants import ExitCode
from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.command import run
from mpsdoctor.facts.probes import interpreter_probe
from mpsdoctor.facts.probes.interpreter import PROBE, ask, requirements, resolve, this
from mpsdoctor.facts.probes.interpreter_probe import NAMES, installed

SECONDS = 60.0
HERE = {name: str(value) for name, value in default_environment().items()}


def real_pythons(*minors: str) -> list[str]:
    """The Pythons of these versions on this machine, including those of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    found = [
        next((str(path) for path in pyenv.glob(f"{minor}.*/bin/python")), None)
        or shutil.which(f"python{minor}")
        for minor in minors
    ]
    return [path for path in found if path]


def environment(folder: Path, python: str = sys.executable) -> Path:
    """Creates an empty virtual environment and returns its folder for packages."""
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    return packages


def install(folder: Path, info: str, *lines: str, file: str = "METADATA") -> None:
    """Metadata with these headers, and a description that looks like more of them."""
    path = folder / info / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join((*lines, "", "Version: 0", "Requires-Dist: torch>=9")), "utf-8")


def plainly(package: str, texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The expected result of `requirements` here, evaluated one by one with packaging."""
    extra = "render" if package == "mpsdoctor" else "torch"
    asked: dict[str, tuple[str, ...]] = {}
    for text in texts:
        try:
            requirement = Requirement(text)
            marker = requirement.marker
            holds = marker is None or marker.evaluate({"extra": ""})
            adds = not holds and marker is not None and marker.evaluate({"extra": extra})
        except (InvalidRequirement, KeyError, ValueError):
            continue
        name, versions = canonicalize_name(requirement.name), requirement.specifier
        if (holds or adds) and versions and name in NAMES:
            owner = package if holds else f"{package}[{extra}]"
            asked[owner] = (*asked.get(owner, ()), f"{name}{versions}")
    return asked


def test_this_python_says_what_its_metadata_say() -> None:
    """Versions and requirements are those of importlib.metadata and packaging."""
    found = this()
    assert {name: metadata.version(name) for name in found.packages} == found.packages
    assert {"torch", "diffusers", "huggingface-hub", "pillow"} <= found.packages.keys()
    expected: dict[str, tuple[str, ...]] = {}
    for name in found.packages:
        expected |= plainly(name, metadata.requires(name) or [])
    assert expected == found.requirements
    assert "torch>=2.6" in found.requirements["diffusers[torch]"]
    assert "diffusers<0.43,>=0.35" in found.requirements["mpsdoctor[render]"]


def test_this_python_says_its_release_and_the_machine_that_it_was_built_for() -> None:
    """An x86_64 Python under Rosetta is told by its machine."""
    python = this().python
    assert (python.version, python.machine) == (
        ".".join(map(str, sys.version_info[:3])),
        os.uname().machine,
    )


def test_a_child_says_the_same() -> None:
    """Run by path, this Python gives the same answer as from within."""
    assert this() == ask(run, sys.executable, SECONDS)


def test_the_markers_are_those_of_packaging() -> None:
    """Each variable has the value that packaging itself finds."""
    assert HERE == interpreter_probe.read()["markers"]


@pytest.mark.parametrize(
    "python", [sys.executable, *real_pythons(*(f"3.{minor}" for minor in range(8, 16)))]
)
def test_another_python_speaks_for_its_own_environment(tmp_path: Path, python: str) -> None:
    """An empty environment has nothing; a full one has its packages, and the markers are its own.

    The packages themselves are never imported.
    """
    packages = environment(tmp_path / "env", python)
    executable = resolve(str(tmp_path / "env"), {})
    empty = ask(run, executable, SECONDS)
    assert ({}, {}) == (empty.packages, empty.requirements)
    assert (executable, str(tmp_path / "env")) == (empty.python.executable, empty.python.prefix)
    assert empty.python.prefix != empty.python.base_prefix
    assert empty.python.conda is False
    assert empty.python.pip is False

    (packages / "torch.py").write_text("raise SystemExit('imported')")
    (packages / "pip").mkdir()
    (packages / "pip" / "__main__.py").write_text("raise SystemExit('imported')")
    install(packages, "torch-2.4.1.dist-info", "Version: 2.4.1")
    install(
        packages,
        "diffusers-0.36.0.dist-info",
        "Version: 0.36.0",
        "Requires-Dist: numpy>=2; python_full_version >= '3.11'",
        "Requires-Dist: numpy<2; python_version < '3.11'",
        "Requires-Dist: Torch>=2.6; extra == 'torch'",
    )
    full = ask(run, executable, SECONDS)
    new = tuple(map(int, str(full.python.version).split(".")[:2])) >= (3, 11)
    assert {"torch": "2.4.1", "diffusers": "0.36.0"} == full.packages
    assert full.python.pip is True
    assert full.requirements == {
        "diffusers": ("numpy>=2",) if new else ("numpy<2",),
        "diffusers[torch]": ("torch>=2.6",),
    }


@pytest.mark.parametrize("python", real_pythons("2.7", "3.6", "3.7"))
def test_an_older_python_is_known_as_such(python: str) -> None:
    """A SyntaxError means that the Python is older than the probe's syntax."""
    with pytest.raises(MpsDoctorError) as raised:
        ask(run, python, SECONDS)
    assert "It is older than Python 3.8." == raised.value.detail


def test_the_probe_has_the_syntax_of_3_8() -> None:
    """It compiles as Python 3.8 but not as an older one, which is how older ones are recognized."""
    source = PROBE.read_text("utf-8")
    ast.parse(source, feature_version=(3, 8))
    with pytest.raises(SyntaxError):
        ast.parse(source, feature_version=(3, 7))


def test_settings_count_and_noise_does_not(tmp_path: Path) -> None:
    """PYTHONPATH comes first, and output before and after the answer is ignored."""
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, sys\nsys.stdout.write('{}\\n[1]\\n{\"python\": {}}\\nhello')\n"
        "atexit.register(print, 'goodbye')\n"
    )
    install(tmp_path, "torch-1.0.dist-info", "Version: 1.0")
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    found = ask(partial(run, environ=environ), sys.executable, SECONDS)
    assert {**this().packages, "torch": "1.0"} == found.packages


def test_the_place_of_the_probe_does_not_count(tmp_path: Path) -> None:
    """Files beside the probe do not count as installed, although their folder is on the path."""
    install(tmp_path, "torch-1.0.dist-info", "Version: 1.0")
    copy = str(shutil.copy(PROBE, tmp_path))
    answer = run([sys.executable, copy], SECONDS).stdout
    assert this().packages == json.loads(answer)["packages"]


def script(folder: Path, *lines: str) -> str:
    path = folder / "python"
    path.write_text("\n".join(("#!/bin/sh", *lines)))
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("lines", "detail"),
    [
        (["sleep 60"], "It did not answer within 1 seconds."),
        (
            ["printf '{}\\n{\"x\":%020000d' 0 | tr 0 ["],
            "It ended with exit code 0, without an answer.",
        ),
        (["exit 1"], "It ended with exit code 1, without an answer."),
        (["echo note >&2; echo 'no tools found' >&2; exit 1"], "no tools found"),
    ],
)
def test_what_gives_no_answer_is_a_wrong_path(
    tmp_path: Path, lines: list[str], detail: str
) -> None:
    """Whatever a program does instead of answering, the error says so in time."""
    python = script(tmp_path, *lines)
    with pytest.raises(MpsDoctorError) as raised:
        ask(run, python, 1.0)
    assert f"{python} cannot be examined" == raised.value.title
    assert (detail, ExitCode.USAGE) == (raised.value.detail, raised.value.exit_code)


def test_what_cannot_start_is_a_wrong_path(tmp_path: Path) -> None:
    """A missing file, one without permission and one of unknown format have different reasons.

    So is an environment whose Python was removed.
    """
    plain, junk, link = tmp_path / "main.py", tmp_path / "junk", tmp_path / "link"
    plain.write_text("print()")
    junk.write_bytes(b"\0\1\2")
    junk.chmod(0o755)
    link.symlink_to(tmp_path / "python3.11")
    details = {
        tmp_path / "none": "No such file or directory",
        plain: "Permission denied",
        junk: "Exec format error",
        link: f"It links to {tmp_path / 'python3.11'}, which does not exist.",
    }
    for path, detail in details.items():
        with pytest.raises(MpsDoctorError) as raised:
            ask(run, str(path), SECONDS)
        assert detail in raised.value.detail


def test_a_name_becomes_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, an environment's folder and a command are all understood, and no link is followed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "env" / "bin").mkdir(parents=True)
    python = tmp_path / "env" / "bin" / "python"
    python.symlink_to(sys.executable)
    monkeypatch.setenv("HOME", str(tmp_path))
    environ = {"PATH": str(python.parent)}
    for name in ("env", "env/", "env/bin/python", "~/env/bin/python", str(python), "python"):
        assert str(python) == resolve(name, environ)
    assert str(tmp_path / "elsewhere") == resolve("elsewhere", environ)


def test_damaged_metadata_hide_nothing_else(tmp_path: Path) -> None:
    """A package without a version does not count; all others do, in any form and spelling."""
    first, second = tmp_path / "first", tmp_path / "second"
    install(first, "torch-1.dist-info", "Name: torch")
    install(first, "torch-0.dist-info", file="RECORD")
    install(first, "Pillow-9.5.0.dist-info", "Name: Pillow", "Version: 9.5.0", "Garbage", ":")
    install(first, "huggingface.hub-1.2.egg-info", "Version: 1.2", file="PKG-INFO")
    install(first, "~ransformers-4.dist-info", "Version: 4")  # pip's, from a failed update
    (first / "numpy-1.26.4-py3.8.egg-info").write_bytes(b"\xff\nVersion: 1.26.4\r\n\r\n")
    (first / "accelerate-1.dist-info" / "METADATA").mkdir(parents=True)
    install(second, "torch-2.dist-info", "Version: 2", "Requires-Dist: numpy (>=1.17)")
    install(second, "pillow-10.dist-info", "Version: 10")
    install(second, "diffusers.egg-info", "Version: 0.36.0.dev0", file="PKG-INFO")  # a checkout's
    folders = [str(tmp_path / "none.zip"), str(first), str(second), str(second)]
    assert list(installed(folders).items()) == [
        ("torch", ("2", ["numpy (>=1.17)"])),
        ("diffusers", ("0.36.0.dev0", [])),
        ("huggingface-hub", ("1.2", [])),
        ("numpy", ("1.26.4", [])),
        ("pillow", ("9.5.0", [])),
    ]


infos = st.tuples(
    st.sampled_from(["torch", "Torch", "huggingface_hub", "huggingface.hub", "tokenizers"]),
    st.sampled_from(["", "-1.0", "-2.0-py3.8"]),
    st.sampled_from([".dist-info", ".egg-info", ".egg-link"]),
    st.sampled_from(["METADATA", "PKG-INFO"]),
    st.lists(st.sampled_from(["Version: 1.0", "Version: 2", "Requires-Dist: x", "Name: y"])),
)


@settings(max_examples=50)
@given(folders=st.lists(st.lists(infos, max_size=8), max_size=3))
def test_versions_are_those_that_importlib_finds(
    folders: list[list[tuple[str, str, str, str, list[str]]]],
) -> None:
    """Of all metadata under a name, in any spelling, the first with a version counts."""
    with tempfile.TemporaryDirectory() as root:
        path = [str(Path(root, str(number))) for number in range(len(folders))]
        for folder, contents in zip(path, folders, strict=True):
            for name, version, ending, file, lines in contents:
                install(Path(folder), f"{name}{version}{ending}", *lines, file=file)
        expected = {}
        for name in NAMES:
            found = metadata.distributions(name=name, path=path)
            versions = [one.version for one in found if "Version" in one.metadata]
            if versions:
                expected[name] = versions[0]
        assert expected == {name: version for name, (version, _) in installed(path).items()}


extras = st.sampled_from(["torch", "Torch", "torch-x", "render", "dev", "all", ""])
comparisons = st.one_of(
    st.builds("extra {} '{}'".format, st.sampled_from(["==", "!=", "<"]), extras),
    st.builds('extra=="{}"'.format, extras),
    st.builds("'{}' in extras".format, extras),
    st.builds("python_version {} '3.{}'".format, st.sampled_from("<>"), st.integers(8, 15)),
    st.sampled_from(["sys_platform == 'win32'", "os_name ~= 'posix'", "nonsense == '1'", ""]),
)
joints = st.sampled_from([" and ", " or ", " ; ", ") and ("])
markers = st.recursive(
    comparisons,
    lambda inner: st.builds("{}{}{}".format, inner, joints, inner) | inner.map("({})".format),
    max_leaves=4,
)
requirement_lines = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["torch", "Pillow", "huggingface_hub", "safetensors[torch]"]),
    st.sampled_from(["", ">=1", " (>=1,<3)", " @ https://example.org/x;extra == 'dev'", ">>1"]),
    st.sampled_from(["; ", " ;", ""]),
    markers,
)


@given(package=st.sampled_from(["x", "mpsdoctor"]), texts=st.lists(requirement_lines, max_size=8))
@example("x", ["torch>=2; extra == 'Torch'", "torch>=1; extra == 'dev' or extra == 'torch'"])
@example("mpsdoctor", ["torch>=2; extra == 'render'", "torch>=1; extra == 'torch'"])
def test_requirements_are_those_that_packaging_finds(package: str, texts: list[str]) -> None:
    """Skipping the requirements of other extras early does not change the result."""
    assert plainly(package, texts) == requirements({package: texts}, HERE)
