"""The real worker under a daemon that is killed at random."""

import random
from pathlib import Path

import pytest

from tests.support.soak import soak


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_all_images_are_right_however_often_the_daemon_is_killed(tmp_path: Path) -> None:
    """One whole image a prompt, to the pixel what an undisturbed process makes of it."""
    result = soak(tmp_path, prompts=200, kills=30, chance=random.Random(1))

    assert result.wrong == []
    assert result.images == result.compared == result.prompts
