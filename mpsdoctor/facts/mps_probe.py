"""Ask torch about mps. Run by path, in a child process, by any Python from 3.8 on.

Importing torch may raise, abort or hang; that is why it happens in a process of its own. The last
line on stdout is one JSON object with the keys of mpsdoctor.facts.model.Torch.
"""

from __future__ import annotations

import json
import os
import sys


def ask() -> dict[str, object]:
    """What torch says of itself; never raises."""
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


def main() -> None:
    """Print the answer as the last line."""
    # Python puts this file's folder first on the path, where its neighbours could shadow modules.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    print("\n" + json.dumps(ask()), flush=True)
    os._exit(0)  # what torch does while Python shuts down could take the answer with it


if __name__ == "__main__":
    main()
