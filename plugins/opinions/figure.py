"""A figure of opinions: one dot with its interval for each method, as SVG that follows light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from restore.core.pages.page import fill_template

WIDTH, MARGIN, ROW = 720, 24, 34

_TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ width }} {{ height }}" role="img" font-family="sans-serif" \
font-size="14">
<title>{{ title }}</title>
<style>
svg { color: #1c1f24; background: #fff } .line { stroke: currentColor } .grid { stroke: currentColor; opacity: .2 }
text, circle { fill: currentColor }
@media (prefers-color-scheme: dark) { svg { color: #e6e9ed; background: #14171b } }
</style>
<text x="{{ margin }}" y="24" font-weight="bold">{{ title }}</text>
{% for tick in ticks %}
<line class="grid" x1="{{ tick.x }}" x2="{{ tick.x }}" y1="40" y2="{{ height - 44 }}"/>
<text x="{{ tick.x }}" y="{{ height - 26 }}" text-anchor="middle">{{ tick.label }}</text>
{% endfor %}
{% for dot in dots %}
<g><title>{{ dot.label }}: {{ dot.told }}</title>
<text x="{{ left - 12 }}" y="{{ dot.y + 5 }}" text-anchor="end">{{ dot.label }}</text>
{% if dot.low is not none %}
<line class="line" x1="{{ dot.low }}" x2="{{ dot.high }}" y1="{{ dot.y }}" y2="{{ dot.y }}" stroke-width="2"/>
{% for end in (dot.low, dot.high) %}
<line class="line" x1="{{ end }}" x2="{{ end }}" y1="{{ dot.y - 6 }}" y2="{{ dot.y + 6 }}" stroke-width="2"/>
{% endfor %}
{% endif %}
<circle cx="{{ dot.x }}" cy="{{ dot.y }}" r="5"/></g>
{% endfor %}
<text x="{{ margin }}" y="{{ height - 6 }}" font-size="12">{{ caption }}</text>
</svg>
"""


@dataclass(frozen=True)
class Dot:
    """One value with its interval."""

    label: str
    value: float
    half_width: float
    """NaN: no interval."""


def draw_intervals(dots: Sequence[Dot], title: str, caption: str, limits: tuple[float, float] | None = None) -> str:
    """Return an SVG with one row for each value, in the order given.

    Args:
        dots: the values.
        title: stands above the figure.
        caption: stands below, such as the rule of the intervals.
        limits: ends of the axis; unset: those of the intervals.
    """
    reach = [each.half_width if math.isfinite(each.half_width) else 0.0 for each in dots]
    low = min(each.value - width for each, width in zip(dots, reach, strict=True))
    high = max(each.value + width for each, width in zip(dots, reach, strict=True))
    if limits is not None:  # the interval of a mean near the end of the scale passes that end
        low, high = min(low, limits[0]), max(high, limits[1])
    step = _find_step(high - low)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    left = MARGIN + 12 + min(320, 8 * max(len(each.label) for each in dots))

    def place(value: float) -> float:
        return round(left + (value / step - first) / max(last - first, 1) * (WIDTH - MARGIN - left), 1)

    rows = []
    for index, (each, width) in enumerate(zip(dots, reach, strict=True)):
        told = f"{each.value:.2f} ± {width:.2f}" if width else f"{each.value:.2f}"
        ends = {"low": place(each.value - width), "high": place(each.value + width)} if width else {"low": None}
        rows.append({"label": each.label, "told": told, "x": place(each.value), "y": 60 + ROW * index, **ends})
    ticks = [{"x": place(number * step), "label": f"{number * step:g}"} for number in range(first, last + 1)]
    return str(
        fill_template(
            _TEMPLATE,
            width=WIDTH,
            height=60 + ROW * len(dots) + 50,
            margin=MARGIN,
            left=left,
            title=title,
            caption=caption,
            ticks=ticks,
            dots=rows,
        )
    )


def _find_step(span: float) -> float:
    """Return a distance of round numbers, so that some five of them span the axis."""
    if span <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / 5))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= span / 5 * 0.8)
