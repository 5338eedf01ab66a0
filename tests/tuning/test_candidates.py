"""What is measured, and what is made of it."""

from msgspec.structs import replace

from mpsdoctor.facts.records import Canary, CanaryStatus
from mpsdoctor.profile import document
from mpsdoctor.profile.choice import Choice, settings_of
from mpsdoctor.tuning.candidates import (
    MEASURABLE,
    MEASURED,
    NO_DIFFERENCE,
    candidates,
    kept,
    with_measured,
    with_no_difference,
)
from mpsdoctor.tuning.needs import Needs
from mpsdoctor.tuning.rules import tune
from tests.tuning.test_attention import FLUX, SDXL, mac, model

MADE_WITH = "torch 2.14.1, diffusers 0.42.1"
OLDER = """
device = "mps"  # tuned: "mps"

# The fastest that was measured on this machine. bounded attention, 256 MiB, float16: 0.5 s
# a step. (rule: measured; facts: torch 2.14.1, diffusers 0.42.1)
attention_budget = 256  # tuned: 256
"""


def test_the_tuned_settings_come_first_and_wrong_formats_never() -> None:
    """A format in which the model fails is not tried out."""
    needs = model(FLUX)
    facts = mac("2.14.1", 64)
    found = candidates(tune(facts, needs), facts, needs)

    choices = tune(facts, needs)
    assert dict(found[0].settings) == {
        name: choices[name].value for name in ("attention", "attention_budget", "dtype")
    }
    assert {"bfloat16"} == {dict(one.settings)["dtype"] for one in found}
    assert len(found) == len(set(found))


def test_what_was_measured_outlives_a_check_with_the_same_releases() -> None:
    """With others, the rules choose again."""
    needs, facts = model(SDXL), mac("2.14.1", 64)
    choices = tune(facts, needs)
    found = candidates(choices, facts, needs)
    chosen = next(one for one in found if dict(one.settings)["attention_budget"] is None)
    assert choices["attention_budget"].value is not None
    measured = with_measured(choices, chosen, "12 % faster", MADE_WITH)
    reason = f"Measured with {MADE_WITH}. 12 % faster"
    assert measured == {
        **choices,
        **{
            name: Choice(value, reason, MEASURED, facts=(MADE_WITH,))
            for name, value in chosen.settings
        },
    }
    # A value set by hand over a measured one hides it only as long as it is there.
    file = document.read(document.write(measured, {"attention": "bounded"}, "a Mac"))

    again = kept(choices, file.tuned, file.reasons, MADE_WITH)
    others = kept(choices, file.tuned, file.reasons, "torch 2.15.0, diffusers 0.42.1")

    assert dict(chosen.settings) == {name: again[name].value for name, _ in chosen.settings}
    assert {MEASURED} == {again[name].rule for name, _ in chosen.settings}
    assert choices == others


def test_that_there_was_no_difference_is_kept_as_long_as_the_rules_choose_the_same() -> None:
    """It claims nothing: where the rules choose other values by now, those are right."""
    needs, facts = model(SDXL), mac("2.14.1", 64)
    choices = tune(facts, needs)
    equal = with_no_difference(choices, "Nothing was shown to be 3 % faster", MADE_WITH)
    file = document.read(document.write(equal, {}, "a Mac"))
    smaller = tune(mac("2.14.1", 8), needs)

    assert settings_of(choices) == settings_of(equal)
    reason = f"Measured with {MADE_WITH}, no difference. Nothing was shown to be 3 % faster"
    assert equal == {
        **choices,
        **{
            name: Choice(choices[name].value, reason, NO_DIFFERENCE, facts=(MADE_WITH,))
            for name in MEASURABLE
        },
    }
    again = kept(choices, file.tuned, file.reasons, MADE_WITH)
    assert {NO_DIFFERENCE} == {again[name].rule for name in MEASURABLE}
    assert settings_of(equal) == settings_of(again)
    assert smaller["attention_budget"] != choices["attention_budget"]
    assert smaller == kept(smaller, file.tuned, file.reasons, MADE_WITH)
    assert choices == kept(choices, file.tuned, file.reasons, "torch 2.15.0, diffusers 0.42.1")


def test_what_was_measured_before_stays_measured_where_nothing_is_faster() -> None:
    """Else two runs with equal settings would end with one or the other."""
    needs, facts = model(SDXL), mac("2.14.1", 64)
    choices = tune(facts, needs)
    chosen = candidates(choices, facts, needs)[-1]
    measured = with_measured(choices, chosen, "12 % faster", MADE_WITH)

    assert measured == with_no_difference(measured, "Nothing was shown", MADE_WITH)


def test_a_profile_of_an_older_release_keeps_what_was_measured() -> None:
    """Its reason had the seconds of each candidate."""
    choices = tune(mac("2.14.1", 64), model(SDXL))
    file = document.read(OLDER)

    again = kept(choices, file.tuned, file.reasons, MADE_WITH)

    assert choices["attention_budget"].value != 256
    assert (256, MEASURED) == (again["attention_budget"].value, again["attention_budget"].rule)


def test_a_format_that_was_seen_to_be_wrong_is_neither_measured_nor_kept() -> None:
    """A quick picture of noise would win, and outlive the check that saw it."""
    needs, facts = model(SDXL), mac("2.12.1", 64)
    canary = Canary(name="linear-twice-bf16", status=CanaryStatus.WRONG, error=1.0)
    facts = replace(facts, hardware=replace(facts.hardware, chip="Apple M5"))
    broken = replace(facts, canaries=(canary,))
    on_m2 = replace(facts, hardware=replace(facts.hardware, chip="Apple M2"))
    choices = tune(on_m2, needs)
    half = candidates(choices, on_m2, needs)[0]
    measured = with_measured(choices, half, "12 % faster", MADE_WITH)
    file = document.read(document.write(measured, {}, "a Mac"))

    found = candidates(tune(broken, needs), broken, needs)
    again = kept(tune(broken, needs), file.tuned, file.reasons, MADE_WITH)

    assert {"float32"} == {dict(one.settings)["dtype"] for one in found}
    assert "float16" == dict(half.settings)["dtype"]
    assert tune(broken, needs) == again


def test_float16_is_measured_only_where_somebody_is_known_to_render_in_it() -> None:
    """The fastest of the formats is of no use if its pictures are wrong."""
    for pipeline, formats in (
        ("HiDreamImagePipeline", {"bfloat16"}),
        ("StableDiffusion3Pipeline", {"float16", "bfloat16"}),
    ):
        needs, facts = Needs("my/own", pipeline=pipeline), mac("2.14.1", 64)
        found = candidates(tune(facts, needs), facts, needs)
        assert formats == {dict(one.settings)["dtype"] for one in found}
