"""A hot folder of its own for each test."""

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from mpsdoctor import files
from mpsdoctor.hotfolder.spool.layout import Layout
from mpsdoctor.hotfolder.spool.spool import Spool


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An empty hot folder."""
    layout = Layout(tmp_path / "hot folder")
    layout.create()
    return layout


@pytest.fixture
def spool(layout: Layout) -> Spool:
    """The jobs of `layout`."""
    return Spool(layout)


@pytest.fixture
def unflushed() -> Iterator[None]:
    """No change waits for the disk, for speed: only a power cut could tell."""
    with mock.patch.object(files, "_flush"):
        yield
