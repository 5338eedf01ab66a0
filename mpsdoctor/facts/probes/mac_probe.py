"""Asks macOS what no command can tell. Run by path, in a child process, by Python 3.8 or newer.

A wrong call into a system library ends the calling process, so this is a separate one. Each line on
stdout is a JSON object with one answer more than the line before.
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
    """Whether a sandbox confines this process, from a function that Apple does not document."""
    check = ctypes.CDLL("/usr/lib/libSystem.B.dylib").sandbox_check
    check.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    return {0: False, 1: True}.get(check(os.getpid(), None, 0))


def thermal_state() -> str:
    """The name of NSProcessInfo.thermalState."""
    ctypes.CDLL(_FRAMEWORKS + "Foundation.framework/Foundation")
    process = _send(ctypes.c_void_p, _class(b"NSProcessInfo"), b"processInfo")
    return _STATES[_send(ctypes.c_long, process, b"thermalState")]


def working_set_bytes() -> int | None:
    """MTLDevice.recommendedMaxWorkingSetSize of the device that PyTorch uses.

    MTLCreateSystemDefaultDevice returns none over ssh and under launchd (huggingface/candle #3449).
    """
    metal = ctypes.CDLL(_FRAMEWORKS + "Metal.framework/Metal")
    metal.MTLCopyAllDevices.restype = ctypes.c_void_p
    metal.MTLCopyAllDevices.argtypes = []
    device = _send(ctypes.c_void_p, metal.MTLCopyAllDevices(), b"firstObject")
    # If there is no device, the receiver is nil, and every message to nil returns 0.
    return _send(ctypes.c_uint64, device, b"recommendedMaxWorkingSetSize") or None


def _class(name: bytes) -> int:
    find = ctypes.CDLL(_OBJC).objc_getClass
    find.restype, find.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    return find(name) or 0


def _send(kind: type, receiver: int | None, message: bytes) -> int:
    """Sends a message without arguments, and returns its number or object as `kind`."""
    objc = ctypes.CDLL(_OBJC)
    objc.sel_registerName.restype = ctypes.c_void_p
    objc.sel_registerName.argtypes = [ctypes.c_char_p]
    # objc_msgSend must be called with the signature of the method that it stands for.
    signature = ctypes.CFUNCTYPE(kind, ctypes.c_void_p, ctypes.c_void_p)
    return signature(("objc_msgSend", objc))(receiver, objc.sel_registerName(message)) or 0


def main() -> None:
    """Prints each answer as soon as it is known; arguments select questions."""
    answer = {}  # type: dict[str, object]
    for question in (sandboxed, thermal_state, working_set_bytes):
        if sys.argv[1:] and question.__name__ not in sys.argv[1:]:
            continue
        try:
            answer[question.__name__] = question()
        except Exception:  # this macOS lacks a library or function
            continue
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
