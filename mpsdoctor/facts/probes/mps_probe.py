"""Asks torch about mps. Run by path, in a child process, by Python 3.8 or newer.

Importing torch can raise, abort or hang, and so can each canary, so this is a separate process. It
prints each result at once, one JSON object per line. The first has the keys of
mpsdoctor.facts.records.Torch. If canaries run, `{"canaries": [name, …]}` lists them in order, and
then each one's measurement follows as it ends.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from types import ModuleType

_HERE = os.path.dirname(os.path.abspath(__file__))


def ask() -> dict[str, object]:
    """What torch reports about itself; never raises."""
    answer: dict[str, object] = {"outcome": "failed"}
    try:
        import torch

        answer["version"] = str(torch.__version__)
        mps = getattr(torch.backends, "mps", None)  # came with torch 1.12
        answer["mps_built"] = bool(mps is not None and mps.is_built())
        answer["mps_available"] = bool(mps is not None and mps.is_available())
        answer["outcome"] = "answered"
    except BaseException as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "torch":
            answer["outcome"] = "missing"
        answer["error"] = "{}: {}".format(type(error).__name__, error)
    return answer


def run_canaries(device: str) -> None:
    """Runs every canary on `device`, and prints each measurement when it ends."""
    canaries = _canaries()
    _say({"canaries": [canary.name for canary in canaries.CANARIES]})
    for canary in canaries.CANARIES:
        _say(canaries.measure(canary, device))


def main() -> None:
    """Prints the answers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--canaries", choices=("mps", "cpu"), help="mps only if it is available")
    device = parser.parse_args().canaries
    # Python puts this file's folder first on the path, where other files could shadow modules.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != _HERE]
    answer = ask()
    _say(answer)
    runs_on = {"cpu": answer["outcome"] == "answered", "mps": answer.get("mps_available")}
    if runs_on.get(device):
        run_canaries(device)
    os._exit(0)  # torch can crash while Python shuts down, and the answer would be lost


def _canaries() -> ModuleType:
    """The module canaries.py, by path: another environment has no mpsdoctor to import."""
    spec = importlib.util.spec_from_file_location(
        "mpsdoctor_canaries", os.path.join(_HERE, "canaries.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _say(answer: dict[str, object]) -> None:
    # On its own line, whatever torch has printed.
    print("\n" + json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
