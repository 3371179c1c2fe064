"""``restore evaluate --report`` writes one page with the numbers and the images, the worst first."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from restore.core.metrics import MetricResult
from restore.core.pages.page import read_data
from restore.core.reduction import Evaluation
from restore.core.reports.evaluation_page import EvaluatedSet, render_evaluation
from restore.core.reports.worst_images import rank_images
from restore.plugins.common.metrics import PrecomputedMetric


@pytest.fixture
def data(tmp_path: Path, photo: Any) -> Path:
    """An image of noise, which repeating gives back badly, between two that differ from one color in one pixel."""
    for name in ("a", "c"):
        (tmp_path / "data").mkdir(exist_ok=True)
        flat = Image.new("RGB", (8, 6), "gray")
        flat.putpixel((1, 1), (120, 120, 120))
        flat.save(tmp_path / f"data/{name}.png")
    photo("data/b.png", seed=1)
    return tmp_path / "data"


def test_the_page_has_the_numbers_and_the_worst_images_first(restore: Any, weights: Any, data: Path) -> None:
    weights("run/best.safetensors", gain=0.5, phase="pretrain")
    status, out, err = restore("evaluate", "repeat", "run", "--data", "data", "--report", "page.html", "--json")
    assert (status, err) == (0, "")
    page = Path("page.html").read_text("utf-8")
    assert read_data(page.encode())["sets"] == [json.loads(out)]
    assert re.findall(r"<h4>(.*?)</h4>", page)[0] == "b"
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page)
    assert captions[:5] == ["input | repeat", "input", "repeat", "run", "target"]
    assert "mse (RGB) of repeat minus run" in page
    assert page.count('<img src="data:') == 3 * 6
    assert not re.search(r"<[^>]* (style|on\w+)=", page)


def test_equal_evaluations_give_equal_pages_and_none_is_replaced(restore: Any, data: Path) -> None:
    command = ("evaluate", "repeat", "--data", "data", "--device", "cpu", "--report")
    for name in ("one.html", "two.html"):
        assert restore(*command, name)[0] == 0
    assert Path("one.html").read_bytes() == Path("two.html").read_bytes()
    status, out, err = restore(*command, "one.html")
    assert (status, out) == (2, "")
    assert "one.html: already exists" in err


def test_images_without_a_value_come_last() -> None:
    metric = PrecomputedMetric("value", "as it is")
    values = {"a": 1.0, "b": float("nan"), "c": -2.0, "d": float("inf")}
    named = {"name": "value", "convention": "as it is", "of": "one"}
    per_image = [{"image": image, **named, "value": value} for image, value in values.items()]
    measured = Evaluation([MetricResult("value", "as it is", "one", 0.0)], per_image, (), [metric], ())
    worst = rank_images(measured)
    assert worst[-1] == "b"
    assert worst[:-1] == (["c", "a", "d"] if metric.better == "higher" else ["d", "a", "c"])


def test_a_page_of_very_large_images_is_cut_and_a_long_table_too() -> None:
    metric = {"name": "psnr", "convention": "Y", "of": "net", "value": 1.0}
    names = [f"image-{number:04}" for number in range(1200)]
    numbers = {
        "images": len(names), "metrics": [metric], "per_image": [{"image": name, **metric} for name in names],
        "certainty": "none", "intervals": [], "differences": [], "notes": [], "provenance": {"models": []},
    }  # fmt: skip
    huge = "data:image/jpeg;base64," + "A" * 1_000_000
    drawn = {"net": {name: [huge, huge] for name in names[:12]}}
    page = render_evaluation([EvaluatedSet("photos", numbers, names, drawn)])
    assert len(page) < 10_000_000
    assert page.count("<h4>") == 1
    assert "200 better images are left out here" in page
