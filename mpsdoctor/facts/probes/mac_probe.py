"""Ask macOS what no command line tells. Run by path, in a child process, by any Python from 3.8 on.

A wrong call into a system library ends the process that makes it; that is why it is another one.
Each line on stdout is a JSON object that holds one answer more than the line before.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys

_OBJC = "/usr/lib/libobjc.A.dylib"
_FRAMEWORKS = "/System/Library/Frameworks/"
_STATES = ("nominal", "fair", "serious", "critical")


def sandboxed() -> bool | None:
    """Whether a sandbox confines this process, by a function that Apple does not document."""
    check = ctypes.CDLL("/usr/lib/libSystem.B.dylib").sandbox_check
    check.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    return {0: False, 1: True}.get(check(os.getpid(), None, 0))


def thermal_state() -> str:
    """NSProcessInfo.thermalState, as its name."""
    ctypes.CDLL(_FRAMEWORKS + "Foundation.framework/Foundation")
    process = _send(ctypes.c_void_p, _class(b"NSProcessInfo"), b"processInfo")
    return _STATES[_send(ctypes.c_long, process, b"thermalState")]


def working_set_bytes() -> int | None:
    """MTLDevice.recommendedMaxWorkingSetSize, of the device that PyTorch takes.

    MTLCreateSystemDefaultDevice gives none over ssh and under launchd (huggingface/candle #3449).
    """
    metal = ctypes.CDLL(_FRAMEWORKS + "Metal.framework/Metal")
    metal.MTLCopyAllDevices.restype = ctypes.c_void_p
    metal.MTLCopyAllDevices.argtypes = []
    device = _send(ctypes.c_void_p, metal.MTLCopyAllDevices(), b"firstObject")
    # To nil, where there is no device, every message answers 0.
    return _send(ctypes.c_uint64, device, b"recommendedMaxWorkingSetSize") or None


def _class(name: bytes) -> int:
    find = ctypes.CDLL(_OBJC).objc_getClass
    find.restype, find.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    return find(name) or 0


def _send(kind: type, receiver: int | None, message: bytes) -> int:
    """Send a message without arguments that answers a number or an object, as `kind`."""
    objc = ctypes.CDLL(_OBJC)
    objc.sel_registerName.restype = ctypes.c_void_p
    objc.sel_registerName.argtypes = [ctypes.c_char_p]
    # objc_msgSend must be called with the signature of the method that it stands for.
    signature = ctypes.CFUNCTYPE(kind, ctypes.c_void_p, ctypes.c_void_p)
    return signature(("objc_msgSend", objc))(receiver, objc.sel_registerName(message)) or 0


def main() -> None:
    """Print each answer as soon as it is known; arguments name the questions, if not all."""
    answer = {}  # type: dict[str, object]
    for question in (sandboxed, thermal_state, working_set_bytes):
        if sys.argv[1:] and question.__name__ not in sys.argv[1:]:
            continue
        try:
            answer[question.__name__] = question()
        except Exception:  # a library or function that this macOS lacks: not known
            continue
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
