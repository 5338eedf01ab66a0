"""The plot of a plan, by what is drawn."""

from typing import Any

import pytest
from msgspec.structs import replace
from PIL import ImageDraw

from mpsdoctor.planning import plot
from mpsdoctor.planning.forecast import Forecast, Machine, forecast
from tests.support.footprints import DENOISER, FOOTPRINT, call, stage

GIB = 2**30
BLUE, GREEN, RED, SOFT, GRID = "#1769aa", "#1b8a5a", "#c0392b", "#66727f", "#e4e8ec"
INK, PAPER = "#1f2933", "#ffffff"
MAC = Machine(
    limit_bytes=4 * GIB, limit_from="a test", mps=True, torch="2.6.0", macos="15.2"
)  # fmt: skip


class Pen:
    """Takes the place of Pillow's; it notes what is drawn, in the units before enlarging."""

    def __init__(self, image: Any) -> None:
        self.image = image
        self.lines: list[tuple[list[tuple[float, float]], str, int]] = []
        self.dots: list[tuple[tuple[float, float], str, bool]] = []
        self.texts: list[tuple[tuple[float, float], str, float, str, str]] = []

    def line(self, points: list[tuple[float, float]], fill: str, width: int) -> None:
        self.lines.append(([(round(x / 2, 1), round(y / 2, 1)) for x, y in points], fill, width))

    def ellipse(
        self, box: tuple[float, float, float, float], fill: str, outline: str, width: int
    ) -> None:
        left, top, right, bottom = box
        assert (20, 20, 4) == (round(right - left, 6), round(bottom - top, 6), width)
        place = (round((left + right) / 4, 1), round((top + bottom) / 4, 1))
        assert fill in (PAPER, outline)
        self.dots.append((place, outline, fill == PAPER))

    def text(
        self, place: tuple[float, float], words: str, fill: str, font: Any, anchor: str
    ) -> None:
        x, y = (round(value / 2, 1) for value in place)
        self.texts.append(((x, y), words, font.size / 2, fill, anchor))


@pytest.fixture
def pens(monkeypatch: pytest.MonkeyPatch) -> list[Pen]:
    """Of each plot that is drawn."""
    made: list[Pen] = []

    def draw(image: Any) -> Pen:
        made.append(Pen(image))
        return made[-1]

    monkeypatch.setattr(ImageDraw, "Draw", draw)
    return made


def at(side: int, weights_gib: int, peak_gib: int) -> Forecast:
    """Without attention, so that every setting takes the same."""
    one = stage("denoiser", "unet", 1024 * weights_gib, 1024 * peak_gib, 1)
    footprint = replace(FOOTPRINT, width=side, height=side, stages=(one,), tiled=None)
    return forecast(footprint, MAC, ["native", "bounded"], 512)


def y(gib: float, top: float) -> float:
    """The axis is 466 pixels long and ends at 584."""
    return round(584 - 466 * gib / top, 1)


def test_curves_limit_and_words_are_where_the_numbers_are(pens: list[Pen]) -> None:
    """Peaks of 2, 3 and 12 GiB, a limit of 4: the plot ends at 1.08 * 1.6 * 4 GiB."""
    forecasts = [at(1000, 1, 11), at(200, 1, 1), at(600, 1, 2)]
    image = plot.draw(MAC, forecasts)
    [pen] = pens
    top = 1.08 * 1.6 * 4

    assert ((1100, 660), (2200, 1320)) == (image.size, pen.image.size)
    # The sides 200, 600 and 1000 are spread over 912 pixels from 114 on.
    points = [(114.0, y(2, top)), (570.0, y(3, top)), (1026.0, y(12, top))]
    above = points[1][1] - 118  # of the last line, what is inside the picture
    cut = (round(570 + 456 * above / (points[1][1] - points[2][1]), 1), 118.0)
    curve = [points[:2], [points[1], cut]]
    grid = [([(84, y(gib, top)), (1056, y(gib, top))], GRID, 2) for gib in range(7)]
    dashes = [
        ([(start, y(4, top)), (min(start + 8, 1056), y(4, top))], RED, 3)
        for start in range(84, 1056, 14)
    ]
    legend = [[(84 + number * 150, 92), (110 + number * 150, 92)] for number in range(2)]
    assert pen.lines == [
        *grid,
        *dashes,
        *((line, BLUE, 8) for line in [*curve, legend[0]]),
        *((line, GREEN, 5) for line in [*curve, legend[1]]),
        ([(84, y(1, top)), (1056, y(1, top))], SOFT, 2),
    ]
    assert pen.dots == [(point, colour, False) for colour in (BLUE, GREEN) for point in points[:2]]
    assert pen.texts == [
        *(((72, y(gib, top)), str(gib), 15, SOFT, "rm") for gib in range(7)),
        *(
            ((x, 604), f"{side}x{side}", 15, SOFT, "mm")
            for x, side in ((114, 200), (570, 600), (1026, 1000))
        ),
        ((92, round(y(4, top) - 6, 1)), "4.0 GiB: a test", 14, RED, "ls"),
        ((118, 92), "native", 15, INK, "lm"),
        ((268, 92), "bounded", 15, INK, "lm"),
        ((84, 34), "me/model in float16", 23, INK, "lm"),
        (
            (84, 62),
            "peak memory in GiB, weights included, PyTorch 2.6.0, macOS 15.2",
            15,
            SOFT,
            "lm",
        ),
        ((1056, round(y(1, top) - 4, 1)), "weights 1.0 GiB", 14, SOFT, "rb"),
        ((570, 636), "pixels", 15, SOFT, "mm"),
    ]


def test_without_a_limit_the_frugal_setting_gives_the_scale(pens: list[Pen]) -> None:
    """Twice its peak, times 1.6; what fails on mps is hollow, and one size has its place."""
    unknown = replace(MAC, limit_bytes=None, torch=None, macos=None)
    one = replace(
        DENOISER, weights_bytes=GIB, attention=(call(1, 1, 2**16, 2**15, dtype="float32"),)
    )
    footprint = replace(FOOTPRINT, stages=(one,), tiled=None, width=100, height=400)
    frugal = forecast(footprint, unknown, ["native", "bounded"], 2048)
    plot.draw(unknown, [frugal])
    [pen] = pens

    # Pieces have 2**29 scores: 2 GiB in float32, and as much for their softmax.
    peaks = [outcome.peak_bytes / GIB for outcome in frugal.outcomes]
    assert [17, 5] == [int(peak) for peak in peaks]
    top = 1.08 * 1.6 * 2 * peaks[1]
    assert pen.dots == [
        ((114, y(peaks[0], top)), BLUE, True),
        ((114, y(peaks[1], top)), GREEN, False),
    ]
    assert RED not in {colour for _, colour, _ in pen.lines}
    words = [text for _, text, _, _, _ in pen.texts]
    assert "peak memory in GiB, weights included, hollow: fails on mps" in words
    assert "100x400" in words


@pytest.mark.parametrize(
    ("peak", "grid"),
    [
        (3, ["0", "0.5", "1", "1.5", "2", "2.5", "3"]),
        (5, ["0", "1", "2", "3", "4", "5"]),
        (11, ["0", "2", "4", "6", "8", "10"]),
        (27, ["0", "5", "10", "15", "20", "25"]),
        (63, ["0", "10", "20", "30", "40", "50", "60"]),
    ],
)
def test_the_grid_has_round_numbers(pens: list[Pen], peak: int, grid: list[str]) -> None:
    """Five to nine lines, up to 1.08 times the peak or a limit above it."""
    plot.draw(replace(MAC, limit_bytes=peak * GIB), [at(512, 1, peak - 1)])
    plot.draw(replace(MAC, limit_bytes=peak * GIB), [at(512, 0, 1)])

    assert [grid, grid] == [
        [words for _, words, _, _, anchor in pen.texts if anchor == "rm"] for pen in pens
    ]
