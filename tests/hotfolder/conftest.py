"""A hot folder of its own for each test."""

from pathlib import Path

import pytest

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
