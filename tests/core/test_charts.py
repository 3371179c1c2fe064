"""Charts are SVG that draws every finite value, in round numbers, and always the same way."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET

import pytest

from restore.core.pages.axes import Axis, fit_axis, format_number
from restore.core.pages.charts import COLUMNS, HEIGHT, WIDTH, Band, Chart, Level, Line, Mark, draw_chart

LOSSES = Line("generator/l1", [(step, 1 / step) for step in range(1, 11)])


def svg_of(chart: Chart) -> ET.Element:
    found = ET.fromstring(str(draw_chart(chart)).replace("&#39;", "'")).find("svg")
    assert found is not None
    return found


def corners(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", path)]


def lines_of(svg: ET.Element) -> list[str]:
    return [path.attrib["d"] for path in svg.iter("path") if path.attrib["class"].startswith("line")]


def test_equal_charts_give_equal_text_without_a_style_attribute() -> None:
    chart = Chart(title="loss <b>", lines=[LOSSES], bands=[Band("pretrain", 0, 5), Band("adversarial", 5, 10)])
    assert draw_chart(chart) == draw_chart(chart)
    assert "style=" not in draw_chart(chart)
    assert "loss &lt;b&gt;" in draw_chart(chart)


def test_a_larger_value_lies_higher_and_everything_lies_inside() -> None:
    (path,) = lines_of(svg_of(Chart(title="t", lines=[Line("a", [(0, 1), (1, 3), (2, 2)])], logarithmic=False)))
    (_, first), (_, highest), (_, last) = corners(path)
    assert highest < last < first
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in corners(path))
    assert (first - last) == pytest.approx((first - highest) / 2, abs=0.2)


def test_on_a_logarithmic_scale_equal_ratios_are_equal_distances() -> None:
    (path,) = lines_of(svg_of(Chart(title="t", lines=[Line("a", [(0, 1), (1, 100), (2, 10000)])])))
    (_, one), (_, two), (_, three) = corners(path)
    assert one - two == pytest.approx(two - three, abs=0.2)


def test_values_that_are_not_finite_interrupt_a_line_and_a_single_one_is_a_dot() -> None:
    points = [(0, 1.0), (1, 2.0), (2, math.nan), (3, 1.5), (4, math.inf), (5, 1.0), (6, 2.0)]
    pieces = lines_of(svg_of(Chart(title="t", lines=[Line("a", points)])))
    assert [len(corners(piece)) for piece in pieces] == [2, 1, 2]
    assert pieces[1].endswith("h0")


def test_a_chart_without_a_finite_value_is_no_chart() -> None:
    assert draw_chart(Chart(title="t", lines=[Line("a", [(0, math.nan)])])) == ""
    assert draw_chart(Chart(title="t", lines=[])) == ""


def test_constant_values_and_a_single_step_can_be_drawn() -> None:
    for points in ([(0, 0.0), (1, 0.0)], [(7, 3.0)], [(0, -2.0), (1, -2.0)]):
        assert lines_of(svg_of(Chart(title="t", lines=[Line("a", points)])))


def test_tooltips_tell_the_values_of_all_lines_and_the_phase() -> None:
    chart = Chart(
        title="t", lines=[LOSSES, Line("kl", [(2, 4.0)])], bands=[Band("warm-up", 0, 5)], marks=[Mark(2, 4, "best 4")]
    )
    told = [title.text for title in svg_of(chart).iter("title")]
    assert "step 2, warm-up\ngenerator/l1 0.5\nkl 4" in told
    assert "best 4" in told


def test_thousands_of_steps_have_a_limited_number_of_tooltips_the_last_among_them() -> None:
    chart = Chart(title="t", lines=[Line("a", [(step, float(step % 7)) for step in range(5000)])])
    told = [title.text or "" for title in svg_of(chart).iter("title")]
    assert 50 < len(told) <= COLUMNS
    assert told[-1].startswith("step 4999\n")


def test_a_level_is_a_line_with_its_value() -> None:
    drawn = draw_chart(Chart(title="psnr", lines=[Line("a", [(1, 28.0), (2, 30.0)])], levels=[Level("bicubic", 29.5)]))
    assert ">bicubic 29.5</text>" in drawn


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 10, [0, 2, 4, 6, 8, 10]), (28.1, 30.4, [28.5, 29, 29.5, 30]), (-1, 1, [-1, -0.5, 0, 0.5, 1])],
)
def test_ticks_are_round_numbers(low: float, high: float, ticks: list[float]) -> None:
    assert Axis(low, high).ticks(5) == pytest.approx(ticks)


def test_ticks_of_steps_are_whole_and_those_of_a_logarithmic_axis_powers_of_ten() -> None:
    assert Axis(1, 3).ticks(5, whole=True) == [1, 2, 3]
    assert Axis(1e-5, 1e-1, logarithmic=True).ticks(5) == pytest.approx([1e-5, 1e-4, 1e-3, 1e-2, 1e-1])
    assert fit_axis([0.0, 1e-3, 1.0], logarithmic=True).low > 0


def test_numbers_are_short() -> None:
    values = [28.41772, 0.0001, 1e-6, 12345.6, 3.0, 250000, 1.5e9]
    assert [format_number(value) for value in values] == ["28.42", "0.0001", "1e-06", "12346", "3", "250000", "1.5e+09"]
