"""From facts to the profile."""

from mpsdoctor.cli.doctor.tuned_profile import with_measurements
from mpsdoctor.profile import document
from mpsdoctor.tuning.candidates import MEASURED, candidates, made_with, with_measured
from mpsdoctor.tuning.rules import tune
from tests.tuning.test_attention import FLUX, SDXL, mac, model


def test_what_was_measured_is_kept_for_its_own_model_only() -> None:
    """Also where the model was written into the file by hand: the measurement was of another."""
    facts, sdxl = mac("2.14.1", 64), model(SDXL)
    choices = tune(facts, sdxl)
    chosen = candidates(choices, facts, sdxl)[1]
    measured = with_measured(choices, chosen, "12 % faster", made_with(facts))
    text = document.write(measured, {}, "a Mac")

    own = with_measurements(choices, facts, document.read(text))
    assert MEASURED == own["attention"].rule
    edited = document.read(text.replace(f'model = "{SDXL}"', f'model = "{FLUX}"'))
    assert (FLUX, SDXL) == (edited.model, edited.tuned_model)
    flux = tune(facts, model(FLUX))
    assert flux == with_measurements(flux, facts, edited)


def test_what_was_measured_on_the_gpu_is_not_kept_for_a_cpu_that_was_chosen_by_hand() -> None:
    """Number format and attention follow the device."""
    facts, sdxl = mac("2.14.1", 64), model(SDXL)
    choices = tune(facts, sdxl)
    chosen = candidates(choices, facts, sdxl)[1]
    measured = with_measured(choices, chosen, "12 % faster", made_with(facts))
    on_cpu = document.read(document.write(measured, {"device": "cpu"}, "a Mac"))
    tuned = tune(facts, sdxl, "cpu")

    assert tuned == with_measurements(tuned, facts, on_cpu)
