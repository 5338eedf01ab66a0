"""What a prompt file asks for, a picture at a time."""

from mpsdoctor.prompts.grammar import read_requests
from mpsdoctor.prompts.request import SEEDS, Request, expand


def test_every_picture_has_a_seed_of_its_own() -> None:
    """Own seeds count up; without one the job's seed counts on over the whole file; both wrap."""
    first = Request(prompt="a", count=2)
    second = Request(prompt="b", seed=SEEDS - 1, count=2, steps=3, model="m")
    third = Request(prompt="c", notes=("kept",))

    assert expand([first, second, third], SEEDS - 1) == (
        Request(prompt="a", seed=SEEDS - 1),
        Request(prompt="a", seed=0),
        Request(prompt="b", seed=SEEDS - 1, steps=3, model="m"),
        Request(prompt="b", seed=0, steps=3, model="m"),
        Request(prompt="c", seed=3, notes=("kept",)),
    )


def test_a_batch_keeps_what_each_line_says() -> None:
    """Prompts with and without a negative prompt, seed and settings do not share them."""
    requests = read_requests(
        "--prompt a --negative_prompt x --n_iter 2 --seed 7 --steps 3\n"
        "--prompt b --cfg_scale 2\n"
        "c\n"
        "--negative_prompt y --prompt d --seed 1 --batch_size 2"
    )

    assert expand(requests, 100) == (
        Request(prompt="a", negative_prompt="x", seed=7, steps=3),
        Request(prompt="a", negative_prompt="x", seed=8, steps=3),
        Request(prompt="b", seed=102, cfg_scale=2),
        Request(prompt="c", seed=103),
        Request(prompt="d", negative_prompt="y", seed=1),
        Request(prompt="d", negative_prompt="y", seed=2),
    )
