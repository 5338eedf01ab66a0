"""What a prompt file asks for, a picture at a time."""

from mpsdoctor.prompts.request import SEEDS, Request, expand


def test_every_picture_has_a_seed_of_its_own() -> None:
    """Own seeds count up; without one the job's seed counts on over the whole file; both wrap."""
    requests = [Request(prompt="a", count=2), Request(prompt="b", seed=SEEDS - 1, count=2)]
    requests += [Request(prompt="c", notes=("kept",))]

    pictures = expand(requests, SEEDS - 1)

    assert [(picture.prompt, picture.seed) for picture in pictures] == [
        ("a", SEEDS - 1), ("a", 0), ("b", SEEDS - 1), ("b", 0), ("c", 3),
    ]  # fmt: skip
    assert {picture.count for picture in pictures} == {1}
    assert pictures[-1].notes == ("kept",)
