"""Finds out what the daemon may do: a one-shot agent runs the probe and is removed again."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from mpsdoctor.facts.agent import Context
from mpsdoctor.facts.command import Runner
from mpsdoctor.service.agent import PROBE, Agent
from mpsdoctor.service.launchctl import Launchctl
from mpsdoctor.service.plist import interpreter, render_probe

SECONDS = 90.0
_PAUSE_S = 0.2


def ask(
    run: Runner,
    agent: Agent,
    watch: bytes,
    hot_folder: Path,
    *,
    ask_gpu: bool = True,
    seconds: float = SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Context | None:
    """What an agent like the one in the property list `watch` sees; None if there is no answer.

    This needs a login session. The probe's list is in a temporary folder, not in LaunchAgents, so
    that no login starts it.
    """
    python = interpreter(watch)
    if python is None:
        return None
    probe = Agent(agent.home, agent.uid, PROBE)
    launchctl = Launchctl(run, probe)
    folder = Path(tempfile.mkdtemp(prefix="mpsdoctor-probe-"))
    output = folder / "context.json"
    command = [python, "-m", "mpsdoctor.service.probe", str(output), str(hot_folder)]
    plist = folder / f"{PROBE}.plist"
    try:
        listed = render_probe(
            watch, probe, [*command, "gpu"] if ask_gpu else command, folder / "probe.log"
        )
        plist.write_bytes(listed)
        launchctl.bootout()  # an earlier probe that was interrupted
        launchctl.enable()
        launchctl.bootstrap(plist)
        launchctl.kickstart()  # launchd may delay agents that nothing requests
        for _ in range(max(1, int(seconds / _PAUSE_S))):
            if output.exists():
                return msgspec.json.decode(output.read_bytes(), type=Context)
            sleep(_PAUSE_S)
    except (OSError, ValueError):
        return None
    finally:
        launchctl.bootout()
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
    return None
