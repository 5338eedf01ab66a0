"""The report as a person reads it."""

import io
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from rich.console import Console

from mpsdoctor.checks.report import (
    Finding,
    Fix,
    FixKind,
    Remedy,
    Report,
    Result,
    Severity,
    Status,
)
from mpsdoctor.checks.runner import examine
from mpsdoctor.facts.records import (
    Facts,
    Picture,
    PictureStatus,
    ProbeOutcome,
    Python,
    System,
    Torch,
)
from mpsdoctor.reports.text import picture_line, render
from mpsdoctor.reports.verdict import verdict
from tests.support.machines import MACHINES
from tests.support.reports import finding, found

READY = "Ready to render on mps"
NOT_KNOWN = "Not known whether this machine can render on mps: "
PACKAGES = "MPS601 (Diffusers), MPS602 (Transformers)"
UNAVAILABLE = "Cannot render on mps: MPS304 (mps available)"
UNREAD = f"{NOT_KNOWN}MPS103 (macOS for this PyTorch), MPS201 (native Python)"
PERHAPS_TRANSLATED = f"{NOT_KNOWN}MPS201 (native Python)"
TRANSLATED = "Cannot render on mps: MPS201 (native Python)"
TOO_OLD = "Cannot render on mps: MPS103 (macOS for this PyTorch)"
NO_MAC = "Cannot render on mps: MPS101 (Apple silicon Mac)"

VERDICTS = {
    "24gb-swap-1.8gb": UNREAD,
    "36gb-macos-26.4.1-swap-5.9gb": UNREAD,
    "arm64-macbook-pro-pmset": UNREAD,
    "arm64-macos-12.5.1-fallback-by-conda": "Cannot render on mps: MPS102 (macOS version)",
    "arm64-macos-13.1-cache-links-broken": f"{NOT_KNOWN}MPS103 (macOS for this PyTorch), "
    f"MPS301 (PyTorch), MPS302 (PyTorch version), {PACKAGES}",
    "arm64-macos-13.3-high-watermark-0.0": NOT_KNOWN + PACKAGES,
    "arm64-macos-14-virtual": f"{NOT_KNOWN}MPS103 (macOS for this PyTorch), "
    f"MPS302 (PyTorch version), {PACKAGES}",
    "arm64-macos-14.2.1-python-3.9-torch-2.3.0.dev": f"{NOT_KNOWN}MPS303 (mps built in), "
    f"{PACKAGES}",
    "arm64-macos-26.0-torch-2.9.1": UNAVAILABLE,
    "arm64-macos-26.3.1-disk-full-while-downloading": UNREAD,
    "arm64-macos-26.5.2-downloads-denied": UNREAD,
    "arm64-torch-2.8.0-prefer-metal-0": PERHAPS_TRANSLATED,
    "intel-macos-12.4-torch-1.13.0a0": NO_MAC,
    "linux-bare": f"{NO_MAC}, MPS301 (PyTorch), {PACKAGES}",
    "linux-in-order": NO_MAC,
    "linux-misfits": f"{NO_MAC}, MPS301 (PyTorch), MPS603 (packages that fit), MPS801 (profile)",
    "linux-picture": NO_MAC,
    "linux-picture-wrong": f"{NO_MAC}, MPS312 (picture on the device)",
    "linux-torch-2.13.0+cpu": NO_MAC,
    "m1-8gb-macos-15.5": UNREAD,
    "m1-macos-12.2.1-torch-1.13.0.dev": "Cannot render on mps: MPS102 (macOS version), "
    "MPS103 (macOS for this PyTorch)",
    "m1-macos-12.7.6-torch-2.5.1": TOO_OLD,
    "m1-max-macos-12.5.1": "Cannot render on mps: MPS102 (macOS version)",
    "m1-pro-16gb-macos-14.2.1-low-power": UNREAD,
    "m1-pro-16gb-macos-26.3.1": UNREAD,
    "m1-pro-kolors-float16": PERHAPS_TRANSLATED,
    "m1-pro-macos-15.3.1-torch-2.7.0.dev": PERHAPS_TRANSLATED,
    "m2-8gb-xcode-python-3.9": UNREAD,
    "m2-max-32gb-macos-13.0-python-3.10": UNREAD,
    "m2-max-64gb-wired-limit-58gb": UNREAD,
    "m2-max-macos-13.7.4-torch-2.10.0.dev": TOO_OLD,
    "m2-max-macos-26.3.1-torch-2.10.0": UNAVAILABLE,
    "m2-max-on-battery": UNREAD,
    "m2-pro-homebrew-for-intel": TRANSLATED,
    "m2-pro-macos-14.1.1-python-3.11.3": UNREAD,
    "m2-pro-macos-14.7.4-torch-2.6.0": READY,
    "m2-pro-not-virtual": UNREAD,
    "m3-36gb-flux1-schnell-float32": UNREAD,
    "m3-air-macos-14.5-torch-2.9.1": NOT_KNOWN + PACKAGES,
    "m3-macos-26.2-torch-2.11.0.dev-sandbox": UNAVAILABLE,
    "m3-max-48gb-wired-limit-8gb": UNREAD,
    "m4-air-thermal-fair": UNREAD,
    "m4-mini-16gb-macos-26.5.2": UNREAD,
    "m4-pro-48gb-unknown-variables": UNREAD,
    "m4-pro-64gb-macos-15.2-torch-2.5.1": NOT_KNOWN + PACKAGES,
    "m4-torch-2.11.0-baddbmm-nan": PERHAPS_TRANSLATED,
    "m5-macos-27.0-torch-2.14.0": NOT_KNOWN + PACKAGES,
    "m5-max-128gb-wired-limit-112gb": UNREAD,
    "m5-max-64gb-macos-26.5.2-swap-29gb": UNREAD,
    "m5-pro-macos-26.5.2-torch-2.14.1": PERHAPS_TRANSLATED,
    "mac-agent-in-order": UNREAD,
    "mac-agent-put-off": UNREAD,
    "mac-agent-restarting": UNREAD,
    "mac-cache-on-portable-ssd": UNREAD,
    "mac-disk-full-while-saving": "Cannot render on mps: MPS501 (space for pictures)",
    "mac-fallback-set-after-torch": UNREAD,
    "mac-pressure-critical": UNREAD,
    "mac-python-in-documents": UNREAD,
    "mac-sdxl-float16-on-volume": UNREAD,
    "mac-studio-32gb-high-watermark-0.7": "Cannot render on mps: MPS307 (watermark ratios)",
    "macbook-model-incomplete": UNREAD,
    "macos-12.3.1-conda-in-downloads": "Cannot render on mps: MPS102 (macOS version)",
    "macos-15-folder-in-icloud": UNREAD,
    "macos-27.0-agent-background": UNREAD,
    "macos-27.0-agent-exited": UNREAD,
    "macos-27.0-agent-interactive": UNREAD,
    "rosetta-m2-macos-15.5-torch-2.2.2": TRANSLATED,
    "rosetta-m2-pro-macos-15.3-torch-2.6.0a0": TRANSLATED,
}


def printed(report: Report, *, verbose: bool = False, width: int = 80) -> str:
    """What a console of `width` columns shows."""
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(render(report, verbose, width=width), soft_wrap=True)
    return capture.get()


def report_of(name: str) -> Report:
    """The report on a recorded machine."""
    text = (MACHINES / f"{name}.json").read_text(encoding="utf-8")
    return examine(msgspec.json.decode(text, type=Facts))


@pytest.mark.parametrize("path", sorted(MACHINES.glob("*.json")), ids=lambda path: path.stem)
def test_the_verdict_on_a_recorded_machine(path: Path) -> None:
    """The last line says whether this machine can render, and why not."""
    report = report_of(path.stem)
    assert VERDICTS[path.stem] == verdict(report)
    assert printed(report).splitlines()[-1] == verdict(report)


def test_only_problems_are_shown_unless_verbose() -> None:
    """On Linux one cause is shown; `verbose` adds all other results and their reasons."""
    report = report_of("linux-torch-2.13.0+cpu")
    assert [line.split()[1] for line in printed(report).splitlines() if "MPS" in line[:14]] == [
        "MPS101"
    ]
    verbose = printed(report, verbose=True)
    assert all(result.id in verbose for result in report.results)
    assert "skipped   MPS304  mps available: needs MPS101 (Apple silicon Mac)\n" in verbose


EVERYTHING = Report(
    facts=Facts(system=System(kernel="Darwin"), python=Python()),
    results=(
        Result(
            id="X1",
            title="one",
            status=Status.FINDING,
            finding=Finding(
                severity=Severity.ERROR,
                observed="It is [red]so[/red]:\n\x1b[2J[/nonsense]",
                expected="a state that takes more than forty columns of a line",
                impact="i",
                remedy=Remedy(
                    text="r",
                    commands=("a command that is longer than forty columns\t--and has no tab",),
                    fix=Fix(kind=FixKind.PROFILE),
                ),
                caveat="c",
            ),
        ),
        Result(id="X2", title="two", status=Status.OK),
        Result(
            id="X3",
            title="three",
            status=Status.FINDING,
            finding=finding(Severity.WARNING, remedy=Remedy(text="r", commands=("one", "two"))),
        ),
        Result(id="X4", title="four", status=Status.CRASHED, reason="KeyError:\n[bold]"),
        found("X5", Severity.NOTE, title="five"),
        Result(id="X6", title="six", status=Status.SKIPPED, reason="needs X1 (one)", needs="X1"),
        Result(id="X7", title="seven", status=Status.NOT_RECORDED, reason="[x]\nnobody"),
        Result(id="X8", title="eight", status=Status.TIMED_OUT, reason="slow"),
    ),
)
PROBLEMS = """\
[bold red]error    [/bold red] [bold]X1[/bold]  one
    observed  It is \\[red]so\\[/red]:
              [2J\\[/nonsense]
    expected  a state that takes more
              than forty columns of a
              line
    impact    i
    remedy    r
        a command that is longer than forty columns --and has no tab
    fix       `mpsdoctor check --fix`
              does this, and `--undo`
              undoes it

[yellow]warning  [/yellow] [bold]X3[/bold]  three
    observed  o
    expected  e
    impact    i
    remedy    r
        one
        two

[bold magenta]not known[/bold magenta] [bold]X4[/bold]  four
    reason    KeyError: \\[bold]

[cyan]note     [/cyan] [bold]X5[/bold]  five
    observed  o
    expected  e
    impact    i
    remedy    r

[bold magenta]not known[/bold magenta] [bold]X8[/bold]  eight
    reason    slow

"""
OTHERS = """\
[green]ok       [/green] [bold]X2[/bold]  two
[dim]skipped  [/dim] [bold]X6[/bold]  six: needs X1 (one)
[dim]not recorded[/dim] [bold]X7[/bold]  seven: \\[x] nobody

"""
BLOCKED = "[bold red]Cannot render on mps: X1 (one)[/bold red]"


@pytest.mark.parametrize(("verbose", "shown"), [(False, PROBLEMS), (True, PROBLEMS + OTHERS)])
def test_a_report_is_shown_whole(verbose: bool, shown: str) -> None:
    """Problems come in the report's order, then other results, then the verdict, in their styles.

    Markup and control characters are shown as text, prose is wrapped, and commands are not.
    """
    assert shown + BLOCKED == render(EVERYTHING, verbose, width=40).markup
    assert max(map(len, printed(EVERYTHING, width=40).splitlines())) == len(
        "        a command that is longer than forty columns --and has no tab"
    )


@pytest.mark.parametrize(
    ("status", "torch", "style"),
    [
        (Status.OK, True, "bold green"),
        (Status.OK, False, "green"),
        (Status.CRASHED, True, "bold magenta"),
    ],
)
def test_the_verdict_has_the_colour_of_its_outcome(status: Status, torch: bool, style: str) -> None:
    """Ready is green, not known is magenta, and ready without torch is not bold."""
    answer = Torch(outcome=ProbeOutcome.ANSWERED) if torch else None
    facts = Facts(system=System(kernel="Darwin"), python=Python(), torch=answer)
    report = Report(facts=facts, results=(Result(id="X1", title="one", status=status),))

    assert f"[{style}]{verdict(report)}[/{style}]" == render(report).markup.splitlines()[-1]


def test_a_narrow_window_still_has_room_for_words() -> None:
    """Prose is never narrower than the indent is wide."""
    assert render(EVERYTHING, width=1) == render(EVERYTHING, width=28)
    assert render(EVERYTHING, width=29) != render(EVERYTHING, width=28)


PICTURE = Picture(
    status=PictureStatus.COMPARED,
    device="mps",
    dtype="float16",
    not_finite=0,
    largest=2.0,
    rms=0.0412,
    seconds=1.26,
    cpu_seconds=12.0,
)


@pytest.mark.parametrize(
    ("picture", "line"),
    [
        (None, "Picture: not rendered. The report says why PyTorch cannot use the device."),
        (
            PICTURE,
            "Picture on mps in float16: 0.0412 levels of 255 from the CPU's (root mean square; up "
            "to 1 is rounding), 2 at most; 1.3 s, the CPU 12.0 s",
        ),
        (
            replace(PICTURE, tolerance=0.5, largest=None, seconds=None, cpu_seconds=None),
            "Picture on mps in float16: 0.0412 levels of 255 from the CPU's (root mean square; up "
            "to 0.5 is rounding), 0 at most; 0.0 s, the CPU 0.0 s",
        ),
        (
            replace(PICTURE, rms=0.0, detail="x"),
            "Picture on mps in float16: 0 levels of 255 from the CPU's (root mean square; up to 1 "
            "is rounding), 2 at most; 1.3 s, the CPU 12.0 s",
        ),
        (
            replace(PICTURE, rms=None, not_finite=7),
            "Picture on mps in float16: 7 of its numbers are not finite",
        ),
        (
            replace(PICTURE, rms=None, not_finite=7, device="cpu", detail="RuntimeError: x"),
            "Picture on cpu in float16: RuntimeError: x",
        ),
    ],
)
def test_the_line_about_a_picture_has_its_numbers_or_a_reason(
    picture: Picture | None, line: str
) -> None:
    """The line says how close the picture is and how long it took, or why there is none."""
    assert line == picture_line(picture)
