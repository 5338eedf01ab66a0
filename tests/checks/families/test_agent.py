"""MPS7xx: the agent, and what it sees."""

import pytest
from msgspec.structs import replace

from mpsdoctor.checks.families import agent
from mpsdoctor.checks.registry import CHECKS
from mpsdoctor.checks.report import Finding, NoAnswerError, Severity, Status
from mpsdoctor.checks.runner import examine
from mpsdoctor.facts import environment
from mpsdoctor.facts.agent import Agent, Context, Job
from mpsdoctor.facts.records import Environment, Facts, Folder, HotFolder, Python, System
from mpsdoctor.service.environment import snapshot

AGENT_CHECKS = [check for check in CHECKS if check.id.startswith("MPS7")]


def mac(agent: Agent | None, **facts: object) -> Facts:
    """A Mac with this agent."""
    return replace(
        Facts(system=System(kernel="Darwin"), python=Python(), agent=agent),
        **facts,
    )


@pytest.mark.parametrize("absent", [None, Agent(installed=False)])
def test_without_an_agent_nothing_is_found_and_nothing_hangs_on_it(absent: Agent | None) -> None:
    """An agent is optional."""
    report = examine(mac(absent), AGENT_CHECKS)

    assert {Status.NOT_RECORDED} == {result.status for result in report.results}
    assert () == report.unknown


def test_an_agent_that_is_not_loaded_is_one_finding() -> None:
    """Checks that need a loaded agent are not recorded."""
    facts = mac(Agent(installed=True, loaded=False, disabled=False, changes=()))
    found = {r.id for r in examine(facts, AGENT_CHECKS).results if r.finding}

    assert {"MPS703"} == found


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        (("EnvironmentVariables.HF_HOME",), Severity.NOTE),
        (("EnvironmentVariables.HF_HOME", "ProgramArguments"), Severity.WARNING),
        (("mpsdoctor 0.1, now 0.2",), Severity.WARNING),
    ],
)
def test_another_terminal_is_less_than_another_version(
    changes: tuple[str, ...], severity: Severity
) -> None:
    """A variable differs between terminals, so it is a note; anything else is a warning."""
    finding = agent.current(mac(Agent(installed=True, changes=changes)))

    assert finding is not None
    assert severity is finding.severity
    assert ("mpsdoctor service install",) == finding.remedy.commands


@pytest.mark.parametrize(
    ("job", "silent", "words"),
    [
        (Job(state="running", pid=5), None, None),
        (Job(state="running", pid=5), 3.0, None),
        (Job(state="running", pid=5), 90.0, "no heartbeat for 90 seconds"),
        (Job(state="not running", pended="inefficient"), None, "inefficient"),
        (Job(state="spawn scheduled"), None, "spawn scheduled"),
    ],
)
def test_a_daemon_runs_where_it_has_a_process_that_gives_signs(
    job: Job, silent: float | None, words: str | None
) -> None:
    """A process needs a heartbeat, and a missing process has a reason."""
    finding = agent.running(mac(Agent(installed=True, job=job, silent_seconds=silent)))

    assert (words is None) is (finding is None)
    assert finding is None or words is None or words in finding.observed


@pytest.mark.parametrize(
    ("job", "found"),
    [
        (Job(state="running", last_exit_code=0), False),
        (Job(state="running", last_signal="Terminated: 15"), False),
        (Job(state="running", last_signal="Killed: 9"), True),
        (Job(state="running", last_exit_code=78), True),
        (Job(state="running", last_exit_reason="OS_REASON_CODESIGNING"), True),
    ],
)
def test_only_an_end_that_nobody_asked_for_is_found(job: Job, found: bool) -> None:
    """Exit code 0 and SIGTERM are a normal stop."""
    assert found is (agent.last_exit(mac(Agent(installed=True, job=job))) is not None)


def test_where_the_agent_sees_less_than_the_terminal_is_told() -> None:
    """A variable, a folder and the GPU are named; private values are not compared."""
    seen = Context(
        program="/opt/homebrew/bin/python3.12",
        mps_available=False,
        folder={"read": "EPERM"},
        variables={"HF_TOKEN": None},
    )
    here = Environment(variables={"HF_HOME": "/hf", "HF_TOKEN": None, "HF_ENDPOINT": None})
    finding = agent.same_as_here(mac(Agent(installed=True, context=seen), environment=here))

    assert finding is not None
    assert Severity.WARNING is finding.severity
    for words in ("no mps device", "read: EPERM", "HF_HOME is not set, here /hf"):
        assert words in finding.observed
    assert "HF_TOKEN" not in finding.observed
    assert seen.program in finding.remedy.text


def test_what_the_remedy_says_leaves_no_variable_to_be_found() -> None:
    """An agent installed as the remedy says has no variable left to be found."""
    shell = {
        "HF_HOME": "/hf",
        "HF_HUB_OFFLINE": "0",
        "HUGGINGFACE_HUB_CACHE": "/hub",
        "MPSDOCTOR_DEVICE": "cpu",
        "MTL_DEBUG_LAYER": "1",
        "PYTORCH_MPS_HIGH_WATERMARK_RATIO": "0.0",
        "TRANSFORMERS_CACHE": "/old",
        "TRANSFORMERS_OFFLINE": "0",
        "XDG_CACHE_HOME": "/cache",
    }

    def finding(profile: dict[str, str]) -> Finding | None:
        """The finding after an install with that profile."""
        there = environment.read(snapshot(profile, shell)).variables
        seen = Agent(installed=True, context=Context(program="p", folder={}, variables=there))
        return agent.same_as_here(mac(seen, environment=environment.read(shell)))

    before = finding({})
    assert before is not None
    assert "`environment`" in before.remedy.text
    for name in shell:
        assert name.startswith(("MTL_", "PYTORCH_")) is (name in before.observed)
    assert None is finding({"MTL_DEBUG_LAYER": "1", "PYTORCH_MPS_HIGH_WATERMARK_RATIO": "0.0"})


def test_a_folder_that_neither_can_use_is_left_out() -> None:
    """A folder that neither can use is left to another check."""
    seen = Context(program="p", folder={"list": "EPERM"})
    denied = HotFolder(folder=Folder(path="/x", exists=True, usable=False, error="EPERM"))
    facts = mac(
        Agent(installed=True, context=seen),
        hot_folder=denied,
        environment=Environment(variables={}),
    )

    assert agent.same_as_here(facts) is None


def test_variables_that_are_not_known_here_are_not_compared() -> None:
    """Without this terminal's variables there is no answer."""
    seen = Context(program="p", folder={})
    with pytest.raises(NoAnswerError):
        agent.same_as_here(mac(Agent(installed=True, context=seen)))
