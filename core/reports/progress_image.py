"""``progress.png``: the curves so far and the newest samples, for a look without a browser. Pillow alone draws it."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from restore.core.pages.axes import Axis, fit_axis, format_number
from restore.core.pages.charts import Chart, is_wide
from restore.core.reports.curves import list_curves
from restore.core.reports.samples import newest_sheet
from restore.core.runs.folder import RunFolder, write_atomically
from restore.core.runs.record import RunRecord, read_run

CHART = (440, 260)
"""Size of a chart in pixels."""
CHARTS = 4
"""Most charts: two of validation first, then losses."""
SHEET = (880, 880)
"""Size that the newest sheet is made to fit, if it is larger."""
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 38, 24
COLORS = ("#0b63ce", "#c2410c", "#15803d", "#9333ea", "#be185d", "#0e7490", "#854d0e", "#4b5563")
TEXT, QUIET, GRID, BAND = "#1c1f24", "#5b6470", "#e2e5ea", "#f1f3f5"

At = Callable[[float, float], tuple[float, float]]
"""Where in the image a point of the chart lies."""

_fonts: dict[int, ImageFont.FreeTypeFont | ImageFont.ImageFont] = {}


def write_progress(run: Path) -> Path:
    """Write ``progress.png`` into a run folder and return its path."""
    path = RunFolder(run).progress
    buffer = io.BytesIO()
    # a fast level: the file is written again after each epoch
    paint_progress(read_run(run)).save(buffer, format="PNG", compress_level=1)
    write_atomically(path, buffer.getvalue())
    return path


def paint_progress(run: RunRecord) -> Image.Image:
    """Return the image: charts in two columns, and below them the newest sheet of samples."""
    charts = _choose_charts(run)
    sheet = newest_sheet(run)
    if sheet is not None:
        sheet = sheet.convert("RGB")
        sheet.thumbnail(SHEET, Image.Resampling.BILINEAR)
    width, height = CHART
    rows = -(-len(charts) // 2)
    image = Image.new("RGB", (2 * width, 30 + rows * height + (sheet.height + 10 if sheet else 0)), "white")
    draw = ImageDraw.Draw(image)
    title = f"{run.name}: {run.task}, epoch {run.epochs} of {run.settings.get('epochs')}"
    draw.text((10, 8), _printable(title), fill=TEXT, font=_font(15))
    for index, chart in enumerate(charts):
        image.paste(_paint(chart), (index % 2 * width, 30 + index // 2 * height))
    if sheet is not None:
        image.paste(sheet, ((2 * width - sheet.width) // 2, 30 + rows * height))
    return image


def _choose_charts(run: RunRecord) -> list[Chart]:
    groups = {group.heading: list(group.charts) for group in list_curves(run)}
    validation, losses = groups.get("Validation", []), groups.get("Training losses", [])
    return [*validation[:2], *losses, *validation[2:]][:CHARTS]


def _paint(chart: Chart) -> Image.Image:
    width, height = CHART
    image = Image.new("RGB", CHART, "white")
    draw = ImageDraw.Draw(image)
    draw.text((LEFT, 4), _printable(chart.title), fill=TEXT, font=_font(13))
    points = [(x, y) for line in chart.lines for x, y in line.points if math.isfinite(y)]
    if not points:
        return image
    values = [y for _, y in points] + [level.value for level in chart.levels if math.isfinite(level.value)]
    y_axis = fit_axis(values, is_wide(values) if chart.logarithmic is None else chart.logarithmic)
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    x_axis = Axis(first, last if last > first else first + 1)

    def at(x: float, y: float) -> tuple[float, float]:
        across = LEFT + min(max(x_axis.place(x), 0), 1) * (width - LEFT - RIGHT)
        return across, height - BOTTOM - y_axis.place(y) * (height - TOP - BOTTOM)

    for band in chart.bands[1::2]:
        left, right = (at(place, y_axis.low)[0] for place in (band.start, band.end))
        draw.rectangle((left, TOP, right, height - BOTTOM), fill=BAND)
    _paint_axes(draw, x_axis, y_axis, chart.x_label, at)
    for level in chart.levels:
        if math.isfinite(level.value):
            _, down = at(first, level.value)
            draw.line((LEFT, down, width - RIGHT, down), fill=QUIET)
            draw.text((width - RIGHT, down - 1), _printable(level.name), fill=QUIET, font=_font(11), anchor="rb")
    for index, line in enumerate(chart.lines):
        _paint_line(draw, [at(x, y) if math.isfinite(y) else None for x, y in line.points], COLORS[index % len(COLORS)])
    for mark in chart.marks:
        if math.isfinite(mark.y):
            across, down = at(mark.x, mark.y)
            draw.ellipse((across - 4, down - 4, across + 4, down + 4), outline=TEXT, width=2)
    if len(chart.lines) > 1:
        _paint_legend(draw, [line.name for line in chart.lines])
    return image


def _paint_axes(draw: ImageDraw.ImageDraw, x_axis: Axis, y_axis: Axis, label: str, at: At) -> None:
    width, height = CHART
    for value in y_axis.ticks(5):
        _, down = at(x_axis.low, value)
        draw.line((LEFT, down, width - RIGHT, down), fill=GRID)
        draw.text((LEFT - 6, down), format_number(value), fill=QUIET, font=_font(11), anchor="rm")
    for value in x_axis.ticks(5, whole=True):
        across, _ = at(value, y_axis.low)
        draw.text((across, height - BOTTOM + 4), format_number(value), fill=QUIET, font=_font(11), anchor="ma")
    draw.line((LEFT, TOP, LEFT, height - BOTTOM, width - RIGHT, height - BOTTOM), fill=QUIET)
    draw.text((4, height - BOTTOM + 4), label, fill=QUIET, font=_font(11))


def _paint_line(draw: ImageDraw.ImageDraw, places: Sequence[tuple[float, float] | None], color: str) -> None:
    piece: list[tuple[float, float]] = []
    for place in [*places, None]:
        if place is not None:
            piece.append(place)
            continue
        if len(piece) == 1:
            across, down = piece[0]
            draw.ellipse((across - 2, down - 2, across + 2, down + 2), fill=color)
        elif piece:
            draw.line(piece, fill=color, width=2, joint="curve")
        piece = []


def _paint_legend(draw: ImageDraw.ImageDraw, names: Sequence[str]) -> None:
    across = float(LEFT)
    for index, name in enumerate(names):
        text = _printable(name)
        wide = draw.textlength(text, font=_font(11))
        if across + wide > CHART[0] - RIGHT:
            draw.text((across, 22), "...", fill=QUIET, font=_font(11))
            return
        draw.text((across, 22), text, fill=COLORS[index % len(COLORS)], font=_font(11))
        across += wide + 12


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font; a Pillow without FreeType has it in one size only."""
    if size not in _fonts:
        _fonts[size] = ImageFont.load_default(size)
    return _fonts[size]


def _printable(text: str) -> str:
    """Return text without what Pillow's font cannot draw."""
    return text.encode("latin-1", "replace").decode("latin-1")
