"""`sysctl`, with recorded output."""

from collections.abc import Sequence

import pytest

from mpsdoctor.facts import sysctl
from mpsdoctor.facts.command import CommandResult

M1_PRO = {
    "hw.model": "MacBookPro18,1",
    "machdep.cpu.brand_string": "Apple M1 Pro",
    "hw.physicalcpu": "10",
    "hw.memsize": "17179869184",
    "kern.hv_vmm_present": "0",
    "vm.swapusage": "total = 4096.00M  used = 2694.19M  free = 1401.81M  (encrypted)",
    "kern.memorystatus_vm_pressure_level": "1",
    "hw.optional.arm64": "1",
    "sysctl.proc_translated": "0",
    "iogpu.wired_limit_mb": "0",
}


def read(stdout: str, exit_code: int | None = 0) -> dict[str, str]:
    """The values, and the one call that was made for them."""
    asked: list[tuple[Sequence[str], float]] = []

    def run(argv: Sequence[str], timeout: float) -> CommandResult:
        asked.append((argv, timeout))
        return CommandResult(exit_code, stdout)

    values = sysctl.read(run)
    assert asked == [(("/usr/sbin/sysctl", *M1_PRO), 10.0)]
    return values


def test_every_value_comes_back_by_name() -> None:
    """One call asks for all names, and values may contain colons and `=`."""
    output = "".join(f"{name}: {value}\n" for name, value in M1_PRO.items())
    assert read(output) == M1_PRO
    assert read(f"sysctl: hello\nhw.new: 1\nhw.model:  a: b \n{output[:0]}") == {"hw.model": "a: b"}


def test_an_intel_mac_answers_what_it_knows() -> None:
    """An unknown name ends sysctl with exit code 1, and the values before it count."""
    known = dict(list(M1_PRO.items())[:7])
    values = read("".join(f"{name}: {value}\n" for name, value in known.items()), exit_code=1)
    assert values == known
    flags = ("hw.optional.arm64", "sysctl.proc_translated")
    assert [sysctl.flag(values, name) for name in flags] == [False, False]
    assert sysctl.number(values, "iogpu.wired_limit_mb") is None


@pytest.mark.parametrize("exit_code", [1, None])
def test_without_an_answer_everything_is_unknown(exit_code: int | None) -> None:
    """Without sysctl, a flag is unknown, not off."""
    values = read("", exit_code)
    assert (values, sysctl.flag(values, "hw.optional.arm64")) == ({}, None)


@pytest.mark.parametrize(
    ("text", "number", "flag"),
    [("1", 1, True), ("0", 0, False), ("17179869184", 2**34, False), ("-1", None, False),
     ("1.5", None, False), ("²", None, False), ("", None, False), ("yes", None, False)],
)  # fmt: skip
def test_a_value_is_a_number_or_a_flag(text: str, number: int | None, flag: bool) -> None:
    """Only decimal digits are a number, and only 1 is on."""
    values = {"hw.memsize": text}
    assert (sysctl.number(values, "hw.memsize"), sysctl.flag(values, "hw.memsize")) == (
        number,
        flag,
    )
