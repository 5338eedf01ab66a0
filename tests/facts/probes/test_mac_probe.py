"""The questions to macOS's libraries, with stand-ins for the libraries."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

from mpsdoctor.facts.probes import mac_probe

FRAMEWORKS = "/System/Library/Frameworks/"
OBJC = "/usr/lib/libobjc.A.dylib"
PROCESS_CLASS, PROCESS, DEVICES, DEVICE = 101, 102, 103, 104


class Libraries:
    """Stands in for ctypes on a Mac. `answers` are the last messages' results.

    `calls` records the libraries that are opened and the functions and messages that are called.
    """

    c_int, c_long, c_uint64 = "int", "long", "uint64"
    c_char_p, c_void_p = "char*", "void*"

    def __init__(self, **answers: int) -> None:
        self.answers = {
            "sandbox_check": 0, "thermalState": 0, "recommendedMaxWorkingSetSize": 0, **answers
        }  # fmt: skip
        self.calls: list[Any] = []

    def CDLL(self, path: str) -> "Library":  # noqa: N802
        self.calls.append(path)
        return Library(self)

    def CFUNCTYPE(  # noqa: N802
        self, kind: str, *arguments: str
    ) -> Callable[[Any], Callable[..., int]]:
        assert arguments == ("void*", "void*")

        def function(place: tuple[str, Library]) -> Callable[[int, str], int]:
            assert place[0] == "objc_msgSend"
            return lambda receiver, message: self.send(kind, receiver, message)

        return function

    def send(self, kind: str, receiver: int, message: str) -> int:
        self.calls.append((kind, receiver, message))
        known = {
            (PROCESS_CLASS, "processInfo"): PROCESS,
            (PROCESS, "thermalState"): self.answers["thermalState"],
            (DEVICES, "firstObject"): self.answers.get("firstObject", DEVICE),
            (DEVICE, "recommendedMaxWorkingSetSize"): self.answers["recommendedMaxWorkingSetSize"],
        }
        return known.get((receiver, message), 0)


class Library:
    """A library; each function notes its signature and its call."""

    def __init__(self, libraries: Libraries) -> None:
        self._libraries = libraries

    def __getattr__(self, name: str) -> "Function":
        function = Function(self._libraries, name)
        setattr(self, name, function)
        return function


class Function:
    """One function of a library."""

    restype: object = "int"
    argtypes: object = None

    def __init__(self, libraries: Libraries, name: str) -> None:
        self.libraries, self.name = libraries, name

    def __call__(self, *arguments: Any) -> Any:
        if self.name == "sel_registerName":
            assert (self.restype, self.argtypes) == ("void*", ["char*"])
            return arguments[0].decode()
        self.libraries.calls.append((self.name, self.restype, self.argtypes, *arguments))
        if self.name == "objc_getClass":
            return PROCESS_CLASS if arguments == (b"NSProcessInfo",) else None
        return DEVICES if self.name == "MTLCopyAllDevices" else self.libraries.answers[self.name]


def on_a_mac(monkeypatch: pytest.MonkeyPatch, **answers: int) -> Libraries:
    libraries = Libraries(**answers)
    monkeypatch.setattr(mac_probe, "ctypes", libraries)
    return libraries


@pytest.mark.parametrize(("answer", "sandboxed"), [(0, False), (1, True), (-1, None)])
def test_the_sandbox_is_asked_about_this_process(
    monkeypatch: pytest.MonkeyPatch, answer: int, sandboxed: bool | None
) -> None:
    """0 means no sandbox, 1 a sandbox, and an error is unknown."""
    libraries = on_a_mac(monkeypatch, sandbox_check=answer)
    assert mac_probe.sandboxed() is sandboxed
    arguments = (["int", "char*", "int"], os.getpid(), None, 0)
    assert libraries.calls == [
        "/usr/lib/libSystem.B.dylib", ("sandbox_check", "int", *arguments)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "state"), [(0, "nominal"), (1, "fair"), (2, "serious"), (3, "critical")]
)
def test_the_thermal_state_is_that_of_the_process(
    monkeypatch: pytest.MonkeyPatch, answer: int, state: str
) -> None:
    """Its number is that of NSProcessInfoThermalState, of which each has its name."""
    libraries = on_a_mac(monkeypatch, thermalState=answer)
    assert mac_probe.thermal_state() == state
    assert [call for call in libraries.calls if call != OBJC] == [
        f"{FRAMEWORKS}Foundation.framework/Foundation",
        ("objc_getClass", "void*", ["char*"], b"NSProcessInfo"),
        ("void*", PROCESS_CLASS, "processInfo"),
        ("long", PROCESS, "thermalState"),
    ]


@pytest.mark.parametrize(
    ("device", "answer", "size"),
    [(DEVICE, 11453251584, 11453251584), (DEVICE, 0, None), (0, 11453251584, None)],
)
def test_the_working_set_is_that_of_the_first_device(
    monkeypatch: pytest.MonkeyPatch, device: int, answer: int, size: int | None
) -> None:
    """All devices are listed, as PyTorch does; without one, or without a size, it is unknown."""
    libraries = on_a_mac(monkeypatch, firstObject=device, recommendedMaxWorkingSetSize=answer)
    assert mac_probe.working_set_bytes() == size
    assert [call for call in libraries.calls if call != OBJC] == [
        f"{FRAMEWORKS}Metal.framework/Metal",
        ("MTLCopyAllDevices", "void*", []),
        ("void*", DEVICES, "firstObject"),
        ("uint64", device, "recommendedMaxWorkingSetSize"),
    ]


@pytest.mark.parametrize(
    ("questions", "answers"),
    [
        ((), {"sandboxed": True, "working_set_bytes": 7}),
        (("working_set_bytes",), {"working_set_bytes": 7}),
        (("thermal_state",), {}),
    ],
)
def test_each_answer_is_printed_with_those_before(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    questions: tuple[str, ...],
    answers: dict[str, object],
) -> None:
    """A question that fails is left out: the thermal state here is one that no macOS has."""
    on_a_mac(monkeypatch, sandbox_check=1, thermalState=4, recommendedMaxWorkingSetSize=7)
    monkeypatch.setattr(sys, "argv", ["mac_probe.py", *questions])
    mac_probe.main()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    items = list(answers.items())
    assert lines == [dict(items[: index + 1]) for index in range(len(items))]
