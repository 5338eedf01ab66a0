"""A stand-in for macOS's launchd and launchctl, of the standard library alone.

`tests/support/launchctl VERB …` is run as a subprocess, like the real one. Its world is the folder
`LAUNCHD_STATE`; its file `world`, written by marshal, may hold:

    session   whether the user is logged in at the screen (gui/501 exists)
    disabled  labels that are switched off
    words     how print-disabled says it: "disabled" or, as up to macOS 12, "true"
    on_demand whether the domain starts nothing that nobody asks for
    drains    how many more `print`s a job that was told to end is still there
    crashes   how many more starts end at once, with exit code 1
    fail      a list of [verb, exit code, how often]; a failing verb does nothing
    spawn     whether jobs are real processes, as their property list says
    jobs      what is loaded

Each call is a line in `calls`. Exit codes and words are those of real Macs. What a call does not
need is not imported: the tests make thousands of them.
"""
# ruff: noqa: T201, PTH105, PTH116, PTH123

from __future__ import annotations

import fcntl
import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from typing import Any

DOMAIN = "gui/501"
TEXTS = {
    3: "No such process",
    5: "Input/output error",
    36: "Operation now in progress",
    37: "Operation already in progress",
    112: "Could not find specified domain",
    113: "Could not find specified service",
    119: "Service is disabled",
    125: "Domain does not support specified action",
    146: "Domain is in on-demand-only mode",
}
FAILED = {
    "bootstrap": "Bootstrap failed",
    "bootout": "Boot-out failed",
    "kickstart": "Could not kickstart service",
    "enable": "Could not enable service",
    "kill": "Could not signal service",
    "print": "Could not print service",
    "print-disabled": "Could not print disabled services",
}
KINDS = {"Interactive": "interactive (4)", "Background": "background (5)"}
STATE = os.environ.get("LAUNCHD_STATE", ".")
FIRST_PID = 4000


def new_world() -> dict[str, Any]:
    return {
        "session": True,
        "disabled": [],
        "words": "disabled",
        "on_demand": False,
        "drains": 0,
        "crashes": 0,
        "fail": [],
        "spawn": False,
        "jobs": {},
    }


class World:
    """The world, for one caller at a time."""

    def __enter__(self) -> dict[str, Any]:
        self._lock = open(f"{STATE}/lock", "a")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.content = read_world(STATE)
        return self.content

    def __exit__(self, *_: object) -> None:
        write_world(STATE, self.content)
        self._lock.close()


def read_world(folder: str) -> dict[str, Any]:
    """The world as it is, a new one where there is none yet."""
    try:
        with open(f"{folder}/world", "rb") as file:
            content: dict[str, Any] = marshal.load(file)
    except FileNotFoundError:
        return new_world()
    return content


def write_world(folder: str, content: dict[str, Any]) -> None:
    """Whole or not at all."""
    with open(f"{folder}/world.tmp", "wb") as file:
        marshal.dump(content, file)
    os.replace(f"{folder}/world.tmp", f"{folder}/world")


def refuse(verb: str, code: int, text: str = "") -> int:
    print(text or f"{FAILED[verb]}: {code}: {TEXTS.get(code, 'Unknown error')}", file=sys.stderr)
    return code


def main(verb: str, arguments: list[str]) -> int:
    with open(f"{STATE}/calls", "a") as calls:
        calls.write(" ".join([verb, *arguments]) + "\n")
    with World() as world:
        for failure in world["fail"]:
            if failure[0] == verb and failure[2] > 0:
                failure[2] -= 1
                return refuse(verb, failure[1])
        if not world["session"]:
            return refuse(verb, 125, "Could not find domain for user gui: 501")
        settle(world)
        code: int = globals()["do_" + verb.replace("-", "_")](world, *arguments)
        return code


def settle(world: dict[str, Any]) -> None:
    """What has come about since the last call."""
    for label, job in list(world["jobs"].items()):
        if job["state"] == "SIGTERMed" and not world["spawn"]:
            job["drains"] -= 1
            if job["drains"] < 0:
                del world["jobs"][label]


def do_print(world: dict[str, Any], target: str) -> int:
    if target == DOMAIN:
        print(f"{DOMAIN} = {{\n\ttype = login\n\tstate = active\n}}")
        return 0
    label = target.rpartition("/")[2]
    job = world["jobs"].get(label)
    if job is None:
        lines = f'Bad request.\nCould not find service "{label}" in domain for user gui: 501'
        return refuse("print", 113, lines)
    print(shown(label, job))
    return 0


def shown(label: str, job: dict[str, Any]) -> str:
    content = job["content"]
    command = "".join(f"\t\t{word}\n" for word in content["ProgramArguments"])
    variables = "".join(
        f"\t\t{name} => {value}\n"
        for name, value in content.get("EnvironmentVariables", {}).items()
    )
    last = (
        f"\tlast terminating signal = {job['signal']}\n"
        if job.get("signal")
        else f"\tlast exit code = {'(never exited)' if job['code'] is None else job['code']}\n"
    )
    return (
        f"{DOMAIN}/{label} = {{\n"
        f"\tactive count = {1 if job['pid'] else 0}\n"
        f"\tpath = {job['path']}\n\ttype = LaunchAgent\n\tstate = {job['state']}\n\n"
        f"\tprogram = {content['ProgramArguments'][0]}\n\targuments = {{\n{command}\t}}\n\n"
        f"\tdefault environment = {{\n\t\tPATH => /usr/bin:/bin:/usr/sbin:/sbin\n\t}}\n\n"
        # Blocks that a careless reader would take for the job itself.
        f"\tenvironment = {{\n{variables}\t\tpid = 1\n\t\tstate = bogus\n\t}}\n\n"
        f"\tdomain = {DOMAIN} [100041]\n"
        f"\tminimum runtime = {content.get('ThrottleInterval', 10)}\n"
        f"\texit timeout = {content.get('ExitTimeOut', 5)}\n"
        f"\truns = {job['runs']}\n"
        + (f"\tpid = {job['pid']}\n" if job["pid"] else "")
        + (f"\tpended nondemand spawn = {job['pended']}\n" if job["pended"] else "")
        + last
        + "\n\tresource coalition = {\n\t\ttype = resource\n\t\tstate = active\n\t}\n\n"
        f"\tspawn type = {KINDS.get(content.get('ProcessType', ''), 'daemon (3)')}\n"
        "\n\tproperties = runatload | inferred program\n}"
    )


def do_print_disabled(world: dict[str, Any], _domain: str) -> int:
    on, off = ("enabled", "disabled") if world["words"] == "disabled" else ("false", "true")
    print('\n\tdisabled services = {\n\t\t"com.apple.ManagedClientAgent" => ' + off)
    for label in world["disabled"]:
        print(f'\t\t"{label}" => {off}')
    print(f'\t\t"com.example.other" => {on}\n\t}}')
    return 0


def do_enable(world: dict[str, Any], target: str) -> int:
    label = target.rpartition("/")[2]
    world["disabled"] = [other for other in world["disabled"] if other != label]
    return 0


def do_bootstrap(world: dict[str, Any], domain: str, path: str) -> int:
    if domain != DOMAIN:
        return refuse("bootstrap", 112)
    import plistlib

    try:
        with open(path, "rb") as file:
            content = plistlib.load(file)
    except (OSError, ValueError):
        return refuse("bootstrap", 5)
    label = content["Label"]
    if label in world["jobs"]:
        return refuse("bootstrap", 36 if world["jobs"][label]["state"] == "SIGTERMed" else 5)
    if label in world["disabled"]:
        return refuse("bootstrap", 5)
    if os.stat(path).st_mode & 0o022:
        return refuse("bootstrap", 122, "Bootstrap failed: 122: Path had bad ownership/permissions")
    world["jobs"][label] = {
        "number": os.getpid(),
        "path": path,
        "content": content,
        "state": "not running",
        "pid": None,
        "runs": 0,
        "code": None,
        "signal": None,
        "pended": None,
        "drains": 0,
    }
    if content.get("RunAtLoad"):
        if world["on_demand"]:
            world["jobs"][label]["pended"] = "speculative"
        else:
            launch(world, label)
    return 0


def launch(world: dict[str, Any], label: str) -> None:
    job = world["jobs"][label]
    job["runs"] += 1
    job["pended"] = None
    if world["spawn"]:
        import subprocess

        number = str(job["number"])
        keeper = [sys.executable, "-I", "-S", __file__, "--keep", label, number]
        nowhere = subprocess.DEVNULL  # the caller waits for the end of its own output
        subprocess.Popen(keeper, start_new_session=True, stdout=nowhere, stderr=nowhere)
        job["state"] = "spawn scheduled"
        return
    if world["crashes"] > 0:
        world["crashes"] -= 1
        job.update(state="spawn scheduled", pid=None, code=1)
        return
    job.update(state="running", pid=FIRST_PID + job["runs"])


def do_kickstart(world: dict[str, Any], target: str) -> int:
    label = target.rpartition("/")[2]
    job = world["jobs"].get(label)
    if job is None:
        return refuse("kickstart", 113)
    is_throttled = job["state"] == "spawn scheduled"  # then launchd keeps to ThrottleInterval
    if job["pid"] is None and not is_throttled:
        launch(world, label)
    return 0


def do_bootout(world: dict[str, Any], target: str) -> int:
    label = target.rpartition("/")[2]
    job = world["jobs"].get(label)
    if job is None:
        return refuse("bootout", 3)
    if job["state"] == "SIGTERMed":
        return refuse("bootout", 36)
    if world["spawn"]:
        if job["pid"] is None:
            del world["jobs"][label]
            return 0
        job["state"] = "SIGTERMed"
        os.kill(job["pid"], 15)
        return 0
    if job["pid"] is None or world["drains"] == 0:
        del world["jobs"][label]
        return 0
    job.update(state="SIGTERMed", drains=world["drains"])
    return 0


def do_kill(world: dict[str, Any], name: str, target: str) -> int:
    label = target.rpartition("/")[2]
    job = world["jobs"].get(label)
    if job is None:
        return refuse("kill", 113)
    if job["pid"] is None:
        return refuse("kill", 3)
    if world["spawn"]:
        import signal

        os.kill(job["pid"], getattr(signal, name))
    elif name == "SIGUSR1":  # a daemon with nothing to do ends at once
        job.update(state="not running", pid=None, code=0)
    return 0


def keep(label: str, number: int) -> None:
    """Runs a job as its property list says, and again where KeepAlive asks for it.

    The job that was loaded as `number`, not another one of the same label.
    """
    import time

    while True:
        with World() as world:
            job = world["jobs"].get(label)
            if job is None or job["number"] != number:
                return
            content = job["content"]
            process = start(content)
            job.update(state="running", pid=process.pid)
        ended = process.wait()
        with World() as world:
            job = world["jobs"].get(label)
            if job is None or job["state"] == "SIGTERMed":
                world["jobs"].pop(label, None)
                return
            job.update(pid=None, state="not running")
            job["code"] = ended if ended >= 0 else None
            job["signal"] = signal_name(-ended) if ended < 0 else None
            alive = content.get("KeepAlive", False)
            if ended == 0 or not isinstance(alive, dict) or alive.get("SuccessfulExit", True):
                return
            job["runs"] += 1
            job["state"] = "spawn scheduled"
        time.sleep(content.get("ThrottleInterval", 10) / 100)


def signal_name(number: int) -> str:
    return {9: "Killed: 9", 15: "Terminated: 15"}.get(number, f"Signal: {number}")


def start(content: dict[str, Any]) -> subprocess.Popen[bytes]:
    """A process with launchd's surroundings, in a folder and with variables as launchd has them."""
    import resource
    import subprocess

    home = os.environ["LAUNCHD_HOME"]
    _log_as_on_macos(home)
    environment = {
        "HOME": home,
        "USER": "u",
        "LOGNAME": "u",
        "SHELL": "/bin/zsh",
        "TMPDIR": "/tmp",
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "XPC_SERVICE_NAME": content["Label"],
        **content.get("EnvironmentVariables", {}),
    }
    files = content.get("SoftResourceLimits", {}).get("NumberOfFiles", 256)

    def limit() -> None:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        most = files if hard == resource.RLIM_INFINITY else min(files, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        os.setpgid(0, 0)

    with (
        open(content.get("StandardOutPath", os.devnull), "ab") as out,
        open(content.get("StandardErrorPath", os.devnull), "ab") as err,
    ):
        return subprocess.Popen(
            content["ProgramArguments"],
            env=environment,
            cwd=content.get("WorkingDirectory", "/"),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            preexec_fn=limit,
        )


def _log_as_on_macos(home: str) -> None:
    """What Linux would have elsewhere goes to ~/Library/Logs."""
    from pathlib import Path

    log = Path(home, ".local/state/mpsdoctor/log")
    log.parent.mkdir(parents=True, exist_ok=True)
    if not log.is_symlink():
        log.symlink_to(Path(home, "Library/Logs/mpsdoctor"))


if __name__ == "__main__":
    if sys.argv[1] == "--keep":
        keep(sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(main(sys.argv[1], sys.argv[2:]))
