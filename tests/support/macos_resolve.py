"""Ask uv whether mpsdoctor and all that it needs install on the Macs that it is for.

`make macos-resolve` runs it: `python macos_resolve.py UV`, in the repository's root. Only wheels
count, as a Mac without Xcode has no compiler. Exits with 1 where a combination has no solution.
"""

import os
import re
import subprocess
import sys
from itertools import product

MACOS = ("14", "15")
PYTHON = ("3.10", "3.11", "3.12", "3.13", "3.14")
PINS = {"pinned": ("--constraint", "constraints.txt"), "open": ()}
SHOWN = ("torch", "diffusers", "transformers")


def resolve(
    uv: str, macos: str, python: str, pins: tuple[str, ...]
) -> subprocess.CompletedProcess[str]:
    """What uv would install, a `name==version` a line, or why it cannot.

    uv takes MACOSX_DEPLOYMENT_TARGET for the version of the macOS that it resolves for (uv docs:
    reference/environment). `--no-config` leaves out the pins of pyproject.toml's `tool.uv`.
    """
    platform = ("--python-platform", "aarch64-apple-darwin", "--python-version", python)
    form = ("--only-binary", ":all:", "--no-config", "--no-header", "--no-annotate", "--quiet")
    return subprocess.run(
        [uv, "pip", "compile", *platform, *form, *pins, "--extra", "dev", "pyproject.toml"],
        env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": f"{macos}.0"},
        capture_output=True,
        text=True,
        check=False,
    )


def main(uv: str) -> int:
    """A line a combination; 1 if one has no solution."""
    exit_code = 0
    for macos, python, (kind, pins) in product(MACOS, PYTHON, PINS.items()):
        answer = resolve(uv, macos, python, pins)
        versions = dict(re.findall(r"^(\S+)==(\S+)", answer.stdout, re.MULTILINE))
        if answer.returncode == 0 and versions.keys() >= set(SHOWN):
            result = ", ".join(f"{name} {versions[name]}" for name in SHOWN)
        else:
            result = f"no solution\n{answer.stderr}"
            exit_code = 1
        print(f"macOS {macos}, Python {python}, {kind}: {result}", flush=True)  # noqa: T201
    return exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
