"""Which settings a picture was made with."""

from mpsdoctor.profile.settings import Profile, fingerprint


def test_it_is_the_same_as_long_as_pictures_are() -> None:
    """Folders, ignored checks and the order of variables say nothing of a picture."""
    profile = Profile(environment={"A": "1", "B": "2"})
    elsewhere = Profile(
        environment={"B": "2", "A": "1"}, hot_folder="/x", ignore=["MPS101"], models=["y"]
    )
    assert fingerprint(profile) == fingerprint(elsewhere)
    assert len(fingerprint(profile)) == 16


def test_every_setting_of_a_picture_counts() -> None:
    """Another number format, attention, size or variable is another fingerprint."""
    changed = [
        Profile(),
        Profile(dtype="float32"),
        Profile(attention="bounded"),
        Profile(width=512),
        Profile(guidance_scale=0),
        Profile(scheduler="LCMScheduler"),
        Profile(timestep_spacing="trailing"),
        Profile(model="other"),
        Profile(environment={"A": "1"}),
    ]
    assert len({fingerprint(profile) for profile in changed}) == len(changed)
