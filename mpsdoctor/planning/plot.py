"""Peak memory over size as a picture, with the machine's limit as a line."""

import math
from collections.abc import Sequence
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

from mpsdoctor.planning.forecast import Forecast, Machine, Outcome
from mpsdoctor.units import GIB, gib

_SCALE = 2
"""Drawn larger and made smaller at the end, for smooth lines."""

_WIDTH, _HEIGHT = 1100, 660
_LEFT, _TOP, _RIGHT, _BOTTOM = 84, 118, 44, 76
_INK, _SOFT, _GRID, _PAPER = "#1f2933", "#66727f", "#e4e8ec", "#ffffff"
_LIMIT = "#c0392b"
_COLOURS = {"native": "#1769aa", "bounded": "#1b8a5a", "sliced": "#d98e04"}
_WIDTHS = {"native": 7, "bounded": 4, "sliced": 2}
_ABOVE = 1.6
"""The plot ends at this many times the limit; without one, at this many times twice the least."""

Point = tuple[float, float]


def draw(machine: Machine, forecasts: Sequence[Forecast]) -> Image.Image:
    """One curve per kind of attention, without VAE tiling; a dot is hollow if mps fails there."""
    ordered = sorted(forecasts, key=lambda one: one.width * one.height)
    image = Image.new("RGB", (_WIDTH * _SCALE, _HEIGHT * _SCALE), _PAPER)
    chart = _Chart(image, ordered, machine.limit_bytes)
    chart.grid()
    chart.limit(machine)
    chart.curves()
    chart.words(machine)
    return image.resize((_WIDTH, _HEIGHT), Image.Resampling.LANCZOS)


class _Chart:
    def __init__(
        self, image: Image.Image, forecasts: Sequence[Forecast], limit: int | None
    ) -> None:
        self._draw = ImageDraw.Draw(image)
        self._forecasts = forecasts
        self._limit = limit
        peaks = [outcome.peak_bytes for one in forecasts for outcome in _plain(one)]
        least = max(min(outcome.peak_bytes for outcome in _plain(one)) for one in forecasts)
        self._top = 1.08 * min(max(*peaks, limit or 0), _ABOVE * (limit or 2 * least))
        sides = [_side(one) for one in forecasts]
        self._sides = (min(sides), max(max(sides), min(sides) + 1))

    def grid(self) -> None:
        step = _step(self._top / GIB)
        for count in range(int(self._top / GIB / step) + 1):
            y = self._y(count * step * GIB)
            self._line([(_LEFT, y), (_WIDTH - _RIGHT, y)], _GRID, 1)
            self._text((_LEFT - 12, y), f"{count * step:g}", 15, _SOFT, "rm")
        for one in self._forecasts:
            label = f"{one.width}x{one.height}"  # Pillow's own font has no ×
            self._text((self._x(one), _HEIGHT - _BOTTOM + 20), label, 15, _SOFT, "mm")

    def limit(self, machine: Machine) -> None:
        if machine.limit_bytes is None:
            return
        y = self._y(machine.limit_bytes)
        for start in range(_LEFT, _WIDTH - _RIGHT, 14):
            self._line([(start, y), (min(start + 8, _WIDTH - _RIGHT), y)], _LIMIT, 2)
        words = f"{gib(machine.limit_bytes)}: {machine.limit_from}"
        self._text((_LEFT + 8, y - 6), words, 14, _LIMIT, "ls")

    def curves(self) -> None:
        names = list(dict.fromkeys(o.setting.attention for o in _plain(self._forecasts[0])))
        for number, name in enumerate(names):
            outcomes = [
                next(o for o in _plain(one) if o.setting.attention == name)
                for one in self._forecasts
            ]
            points = [
                (self._x(one), self._y(outcome.peak_bytes))
                for one, outcome in zip(self._forecasts, outcomes, strict=True)
            ]
            for start, end in pairwise(points):
                self._line(_below(start, end, _TOP), _COLOURS[name], _WIDTHS[name])
            for point, outcome in zip(points, outcomes, strict=True):
                if point[1] >= _TOP:
                    self._dot(point, _COLOURS[name], hollow=outcome.cliff is not None)
            self._legend(number, name)

    def words(self, machine: Machine) -> None:
        first = self._forecasts[0]
        self._text((_LEFT, 34), f"{first.model} in {first.dtype}", 23, _INK, "lm")
        versions = [f"PyTorch {machine.torch}" if machine.torch else ""]
        versions.append(f"macOS {machine.macos}" if machine.macos else "")
        what = "peak memory in GiB, weights included"
        fails = any(outcome.cliff for one in self._forecasts for outcome in _plain(one))
        versions.append("hollow: fails on mps" if fails else "")
        line = ", ".join([what, *filter(None, versions)])
        self._text((_LEFT, 62), line, 15, _SOFT, "lm")
        weights = f"weights {gib(first.weights_bytes)}"
        y = self._y(first.weights_bytes)
        self._line([(_LEFT, y), (_WIDTH - _RIGHT, y)], _SOFT, 1)
        self._text((_WIDTH - _RIGHT, y - 4), weights, 14, _SOFT, "rb")
        self._text(((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 24), "pixels", 15, _SOFT, "mm")

    def _legend(self, number: int, name: str) -> None:
        x, y = _LEFT + number * 150, 92
        self._line([(x, y), (x + 26, y)], _COLOURS[name], _WIDTHS[name])
        self._text((x + 34, y), name, 15, _INK, "lm")

    def _x(self, forecast: Forecast) -> float:
        low, high = self._sides
        inner = _WIDTH - _LEFT - _RIGHT - 60
        return _LEFT + 30 + inner * (_side(forecast) - low) / (high - low)

    def _y(self, size: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * size / self._top

    def _line(self, points: Sequence[Point], colour: str, width: int) -> None:
        scaled = [(x * _SCALE, y * _SCALE) for x, y in points]
        self._draw.line(scaled, fill=colour, width=width * _SCALE // 2 + 1)

    def _dot(self, point: Point, colour: str, *, hollow: bool) -> None:
        x, y = (value * _SCALE for value in point)
        r = 5 * _SCALE
        fill = _PAPER if hollow else colour
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill, outline=colour, width=2 * _SCALE)

    def _text(self, place: Point, words: str, size: int, colour: str, anchor: str) -> None:
        scaled = (place[0] * _SCALE, place[1] * _SCALE)
        font = ImageFont.load_default(size * _SCALE)
        self._draw.text(scaled, words, fill=colour, font=font, anchor=anchor)


def _plain(forecast: Forecast) -> list[Outcome]:
    return [outcome for outcome in forecast.outcomes if not outcome.setting.vae_tiling]


def _side(forecast: Forecast) -> float:
    """The side of the square with as many pixels."""
    return math.sqrt(forecast.width * forecast.height)


def _below(start: Point, end: Point, top: float) -> list[Point]:
    """The part of a rising line that is inside the picture."""
    if start[1] < top:
        return []
    if end[1] >= top:
        return [start, end]
    part = (start[1] - top) / (start[1] - end[1])
    return [start, (start[0] + part * (end[0] - start[0]), top)]


def _step(top: float) -> float:
    """The distance of grid lines: about six of them, at round numbers."""
    size = math.pow(10, math.floor(math.log10(top / 6)))
    return next(factor * size for factor in (1, 2, 5, 10) if top / (factor * size) <= 8)
