"""What `mpsdoctor profile show` says of each setting."""

from pathlib import Path

import pytest

from mpsdoctor.cli.display import profile_settings
from mpsdoctor.cli.display.profile_settings import Setting, in_full, settings
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import Choices
from mpsdoctor.profile.loading import Origin, load
from mpsdoctor.profile.settings import Profile
from mpsdoctor.tuning.rules import tune
from tests.support.shipped_profiles import MODELS, machine, needs

CHOICES = tune(machine("m1-pro-16gb", "2.13.0"), needs(MODELS["sdxl"]))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A tuned profile with two values by hand, one of them in the place of a default."""
    path = tmp_path / "profile.toml"
    path.write_text(document.write(CHOICES, {"attention": "bounded", "prime": True}, "a Mac"))
    return path


def shown(path: Path, choices: Choices, **environ: str) -> dict[str, Setting]:
    """Those of the file, with these variables set."""
    loaded = load(Profile, path, environ)
    return settings(loaded, document.read(path.read_text("utf-8")), choices)


def lines(setting: Setting) -> dict[str, str]:
    """The text behind each title."""
    page = in_full(setting).plain.splitlines()[1:]
    return {line[:14].strip() or "more": line[14:] for line in page}


def test_rule_facts_and_evidence_are_those_of_the_choice(path: Path) -> None:
    """With addresses; so of a setting that is left at its default, and of a variable not set."""
    known = shown(path, CHOICES)

    dtype, variable = lines(known["dtype"]), lines(known["PYTORCH_MPS_PREFER_METAL"])
    assert ("float16", "file", "dtype") == (dtype["value"], dtype["from"], dtype["rule"])
    assert {"torch 2.13.0", "macOS 26.3.1"} <= set(dtype["facts"].split(", "))
    assert "Half the memory of float32." == dtype["reason"]
    assert "https://huggingface.co/docs/diffusers/optimization/mps" in dtype["evidence"]
    assert ("not set", "fault") == (variable["value"], variable["rule"])
    assert ("default", "vae-slicing") == (
        lines(known["vae_slicing"])["from"],
        lines(known["vae_slicing"])["rule"],
    )


def test_a_value_by_hand_stands_beside_the_one_that_is_explained(path: Path) -> None:
    """The reason is that of the tuned value."""
    known = shown(path, CHOICES)

    attention = lines(known["attention"])
    assert ("bounded", "attention-native") == (attention["value"], attention["rule"])
    assert "file, set by hand; tuned: native" == attention["from"]
    assert "https://github.com/pytorch/pytorch/issues/181575" in attention["evidence"]
    assert "file, set by hand; tuned: False" == lines(known["prime"])["from"]


def test_without_choices_only_the_file_speaks(path: Path) -> None:
    """Its short reasons; none for a value by hand, nor for one that the file does not name."""
    known = shown(path, {})

    def said(name: str) -> tuple[str | None, str]:
        return lines(known[name]).get("rule"), known[name].reason

    assert (None, "Half the memory of float32") == said("dtype")
    assert (None, "The largest square, in pixels, that is forecast to fit") == said("largest_side")
    for name in ("attention", "prime", "vae_slicing", "width"):
        assert (None, Profile.model_fields[name].description) == said(name)


def test_a_choice_explains_only_its_own_value(path: Path) -> None:
    """Neither that of another layer, nor one that was tuned otherwise, or deleted by hand."""
    path.write_text(path.read_text("utf-8").replace("variant = ", "# variant = "), "utf-8")
    others = tune(machine("m1-8gb", "2.8.0"), needs(MODELS["sd15"]))

    known = shown(path, CHOICES, MPSDOCTOR_DTYPE="float16", MPSDOCTOR_ENVIRONMENT="{}")

    assert known["dtype"].origin is Origin.ENVIRONMENT
    for name in ("dtype", "variant", "PYTORCH_ENABLE_MPS_FALLBACK"):
        assert known[name].choice is None
    assert shown(path, others)["attention"].choice is None
    assert shown(path, others)["dtype"].choice == others["dtype"]


def test_every_setting_has_a_row(path: Path) -> None:
    """Whether it is set or not; a variable that is not set has none."""
    table = profile_settings.table(shown(path, CHOICES))

    assert ["setting", "value", "from", "reason"] == [column.header for column in table.columns]
    names, values, origins, reasons = (list(map(str, column.cells)) for column in table.columns)
    at = names.index("dtype")
    assert ("float16", "file", "Half the memory of float32.") == (
        values[at],
        origins[at],
        reasons[at],
    )
    assert set(Profile.model_fields) - {"schema_version", "environment"} <= set(names)
    assert "PYTORCH_ENABLE_MPS_FALLBACK" in names
    assert "PYTORCH_MPS_PREFER_METAL" not in names
