"""Line charts as inline SVG: axes, linear or logarithmic, phases as bands, marks of the best, values as tooltips.

The colors are classes that ``static/chart.css`` defines, so that a chart follows the page: light, dark or print.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from markupsafe import Markup, escape

from restore.core.pages.axes import Axis, fit_axis, format_number

WIDTH, HEIGHT = 420, 250
"""Size of a chart in its own units; the page scales it to its column."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 10, 20, 34
COLORS = 8
"""Number of different colors; further lines begin again, dashed."""
COLUMNS = 120
"""Most places along the x axis that have a tooltip."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """A line through points with increasing x; values that are not finite interrupt it."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Level:
    """A value to compare with, such as that of a baseline: a dashed line from side to side."""

    name: str
    value: float


@dataclass(frozen=True)
class Band:
    """A named part of the x axis, such as a phase."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Mark:
    """A point that stands out, such as the best one."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What a chart shows."""

    title: str
    lines: Sequence[Line]
    x_label: str = "step"
    levels: Sequence[Level] = ()
    bands: Sequence[Band] = ()
    marks: Sequence[Mark] = ()
    logarithmic: bool | None = None
    """Scale of the y axis; None: logarithmic if all values are positive and spread over two powers of ten."""
    names: Mapping[str, int] = field(default_factory=dict)
    """Colors of lines by name, for charts that share them; unset: in order."""


def draw_chart(chart: Chart) -> Markup:
    """Return a chart as ``<figure>``, empty if it has no finite value. Equal charts give equal text."""
    drawn = _Drawing(chart) if any(True for line in chart.lines for _ in _finite(line.points)) else None
    return Markup("") if drawn is None else drawn.figure()


class _Drawing:
    """One chart in its coordinates."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        points = [point for line in chart.lines for point in _finite(line.points)]
        values = [y for _, y in points] + [level.value for level in chart.levels if math.isfinite(level.value)]
        places = [x for x, _ in points] + [x for band in chart.bands for x in (band.start, band.end)]
        self.y = fit_axis(values, is_wide(values) if chart.logarithmic is None else chart.logarithmic)
        self.x = Axis(min(places), max(places) if max(places) > min(places) else min(places) + 1)

    def figure(self) -> Markup:
        title = escape(self.chart.title)
        svg = Markup("").join(
            [
                *self._bands(),
                *self._grid(),
                *self._columns(),
                *self._levels(),
                *(part for index, line in enumerate(self.chart.lines) for part in self._line(index, line)),
                *self._marks(),
            ]
        )
        return Markup(
            '<figure class="chart"><figcaption>{}</figcaption>'
            '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>{}<output></output></figure>\n'
        ).format(title, WIDTH, HEIGHT, self._description(), svg, self._legend())

    def _description(self) -> str:
        """Return what someone who does not see the chart is told: each line's first and last value."""
        told = []
        for line in self.chart.lines:
            points = list(_finite(line.points))
            if points:
                told.append(f"{line.name} from {format_number(points[0][1])} to {format_number(points[-1][1])}")
        return f"{self.chart.title}, by {self.chart.x_label}: {'; '.join(told)}"

    def _at(self, x: float, y: float) -> tuple[str, str]:
        across = _LEFT + self.x.place(x) * (WIDTH - _LEFT - _RIGHT)
        down = HEIGHT - _BOTTOM - self.y.place(y) * (HEIGHT - _TOP - _BOTTOM)
        return _round(across), _round(down)

    def _bands(self) -> Iterator[Markup]:
        for index, band in enumerate(self.chart.bands):
            left, _ = self._at(band.start, self.y.low)
            right, _ = self._at(band.end, self.y.low)
            width = _round(float(right) - float(left))
            yield Markup('<rect class="band-{}" x="{}" y="{}" width="{}" height="{}"/>').format(
                index % 2, left, _TOP, width, HEIGHT - _TOP - _BOTTOM
            )
            # a name that is wider than its band would run into the next one; the tooltip has it all the same
            if float(width) >= 6.5 * len(band.name):
                yield Markup('<text class="band-name" x="{}" y="{}">{}</text>').format(left, _TOP - 6, band.name)

    def _grid(self) -> Iterator[Markup]:
        for value in self.y.ticks(5):
            left, down = self._at(self.x.low, value)
            yield Markup('<path class="grid" d="M{} {}H{}"/>').format(left, down, WIDTH - _RIGHT)
            yield Markup('<text class="tick-y" x="{}" y="{}">{}</text>').format(_LEFT - 5, down, format_number(value))
        for value in self.x.ticks(5, whole=True):
            across, down = self._at(value, self.y.low)
            yield Markup('<text class="tick-x" x="{}" y="{}">{}</text>').format(
                across, HEIGHT - _BOTTOM + 14, format_number(value)
            )
        yield Markup('<path class="axis" d="M{0} {1}V{2}H{3}"/>').format(_LEFT, _TOP, HEIGHT - _BOTTOM, WIDTH - _RIGHT)
        yield Markup('<text class="tick-x" x="{}" y="{}">{}</text>').format(
            (WIDTH + _LEFT) // 2, HEIGHT - 4, self.chart.x_label
        )

    def _levels(self) -> Iterator[Markup]:
        for level in self.chart.levels:
            if math.isfinite(level.value):
                left, down = self._at(self.x.low, level.value)
                yield Markup('<path class="level" d="M{} {}H{}"/>').format(left, down, WIDTH - _RIGHT)
                yield Markup('<text class="level-name" x="{}" y="{}">{}</text>').format(
                    WIDTH - _RIGHT - 2, _round(float(down) - 3), f"{level.name} {format_number(level.value)}"
                )

    def _line(self, index: int, line: Line) -> Iterator[Markup]:
        path, pieces = "", []
        for x, y in line.points:
            if math.isfinite(y) and not (self.y.logarithmic and y <= 0):
                across, down = self._at(x, y)
                path += f"{'L' if path else 'M'}{across} {down}"
            elif path:
                pieces.append(path)
                path = ""
        pieces += [path] if path else []
        color = self._color(index, line)
        for piece in pieces:
            # a single point is a line of no length, which round ends make a dot
            drawn = piece if "L" in piece else f"{piece}h0"
            yield Markup('<path class="line {}" d="{}"/>').format(color, drawn)

    def _color(self, index: int, line: Line) -> str:
        number = self.chart.names.get(line.name, index)
        return f"color-{number % COLORS}" + (" again" if number >= COLORS else "")

    def _marks(self) -> Iterator[Markup]:
        for mark in self.chart.marks:
            if math.isfinite(mark.y):
                across, down = self._at(mark.x, mark.y)
                yield Markup('<circle class="mark" cx="{}" cy="{}" r="4"><title>{}</title></circle>').format(
                    across, down, mark.text
                )

    def _columns(self) -> Iterator[Markup]:
        """Yield invisible columns over the chart; each shows the values of all lines at its place."""
        places = sorted({x for line in self.chart.lines for x, _ in _finite(line.points)})
        step = -(-len(places) // COLUMNS)
        places = places[::-1][::step][::-1]  # the last one always counts
        values = [dict(_finite(line.points)) for line in self.chart.lines]
        middles = [(a + b) / 2 for a, b in pairwise(places)]
        for x, start, end in zip(places, [self.x.low, *middles], [*middles, self.x.high], strict=True):
            left, _ = self._at(start, self.y.low)
            right, _ = self._at(end, self.y.low)
            band = next((band.name for band in reversed(self.chart.bands) if band.start <= x <= band.end), None)
            rows = [f"{self.chart.x_label} {format_number(x)}" + (f", {band}" if band else "")]
            named = zip(self.chart.lines, values, strict=True)
            rows += [f"{line.name} {format_number(known[x])}" for line, known in named if x in known]
            yield Markup('<rect class="column" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>').format(
                left, _TOP, _round(float(right) - float(left)), HEIGHT - _TOP - _BOTTOM, "\n".join(rows)
            )

    def _legend(self) -> Markup:
        if len(self.chart.lines) < 2:
            return Markup("")
        items = [
            Markup('<li class="{}">{}</li>').format(self._color(index, line), line.name)
            for index, line in enumerate(self.chart.lines)
        ]
        return Markup("<ul>{}</ul>").format(Markup("").join(items))


def _finite(points: Sequence[Point]) -> Iterator[Point]:
    return (point for point in points if math.isfinite(point[0]) and math.isfinite(point[1]))


def is_wide(values: Sequence[float]) -> bool:
    """Return whether a linear scale would hide most of what happens."""
    return min(values) > 0 and max(values) / min(values) > 100


def _round(value: float) -> str:
    """Return a coordinate with one decimal place at most."""
    return f"{value:.1f}".removesuffix(".0")
