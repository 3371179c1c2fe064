"""Numbers of a task's own beside the metrics of images."""

from __future__ import annotations

import torch

from restore.plugins.common.metrics import PSNR, PrecomputedMetric, measure_samples


def test_a_mean_is_of_sums() -> None:
    assert PrecomputedMetric("kl", "").reduce(torch.tensor([[1.0, 2.0], [3.0, 6.0]])) == 6.0


def test_an_own_metric_sees_its_numbers_and_every_other_the_image() -> None:
    torch.manual_seed(0)
    prediction, target = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    distances = torch.tensor([[0.5], [1.5]])
    protocol = {"psnr": PSNR(), "distance": PrecomputedMetric("distance", "of codes", better="lower")}
    rows = measure_samples(prediction, {"target": target}, {"distance": distances, "unasked": distances}, protocol)
    assert list(rows) == ["psnr", "distance"]
    assert torch.equal(rows["psnr"], PSNR().measure(prediction, target))
    assert rows["distance"].dtype == torch.float64
    assert protocol["distance"].reduce(rows["distance"]) == 1.0
