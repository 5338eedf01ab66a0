"""A Mac of its own for each test."""

from pathlib import Path

import pytest

from tests.support.mac import Mac


@pytest.fixture
def mac(tmp_path: Path) -> Mac:
    """Logged in, with nothing of ours on it."""
    return Mac(tmp_path)
