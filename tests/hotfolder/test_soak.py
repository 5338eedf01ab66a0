"""The real worker under a daemon that is killed at random."""

import random
from pathlib import Path

from tests.support.soak import soak


def test_all_images_are_right_however_often_the_daemon_is_killed(tmp_path: Path) -> None:
    """Whole, one a prompt, and to the pixel what an undisturbed process makes of prompt and seed.

    A prompt that all the kills hit would be given up; there are too few for that.
    """
    result = soak(tmp_path, prompts=12, kills=2, chance=random.Random(1))
    assert result.wrong == []
    assert result.images == result.compared == result.prompts
