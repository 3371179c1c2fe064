"""The table of ladders has every image metric without weights, in the documentation too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch

from restore import registry

PAGE = Path(__file__).parents[2] / "docs" / "measuring.md"


def test_every_image_metric_without_weights_has_a_row(load_benchmark: Callable[[str], ModuleType]) -> None:
    metrics = load_benchmark("metric_ladders").METRICS
    specs = [entry.spec for entry in registry.entries("metrics") if entry.plugin == "common"]
    free = {
        spec.name
        for spec in specs
        if isinstance(spec, registry.MetricSpec) and spec.role in ("image", "super-resolution") and not spec.fetches
    }
    assert {metric.name.removesuffix("-restore") for metric in metrics} == free
    page = PAGE.read_text("utf-8")
    assert all(f"| `{metric.name}` (" in page for metric in metrics)


def test_a_metric_that_falls_with_blur_ranks_the_ladder_as_it_is(
    load_benchmark: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark = load_benchmark("metric_ladders")
    photograph = torch.randint(0, 256, (3, 40, 44), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    monkeypatch.setattr(benchmark, "photographs", lambda *_: [photograph])
    psnr = benchmark.METRICS[0]
    monkeypatch.setattr(benchmark, "METRICS", (psnr,))
    assert list(benchmark.climb(benchmark.blur, (0.5, 1.0, 2.0))) == [[1.0]]
    assert list(benchmark.climb(benchmark.blur, (2.0, 1.0, 0.5))) == [[-1.0]]
