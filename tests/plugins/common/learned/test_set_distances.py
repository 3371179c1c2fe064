"""Distances of two sets of features: KID against plain sums, and the classifier of P-IDS and U-IDS at its minimum."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from restore.core.metric_contracts import check_metric
from restore.plugins.common.learned.distributions import FrechetDistance, KernelDistance
from restore.plugins.common.learned.inception import InceptionMetric
from restore.plugins.common.learned.separability import (
    PairedInceptionDiscrimination,
    UnpairedInceptionDiscrimination,
    fit_linear_svm,
)

DISTANCES = (FrechetDistance(), KernelDistance(), PairedInceptionDiscrimination(), UnpairedInceptionDiscrimination())


def features(count: int, length: int, shift: float) -> Tensor:
    generator = torch.Generator().manual_seed(int(10 * shift) + count)
    return torch.randn(count, length, generator=generator, dtype=torch.float64) + shift


def test_the_kernel_distance_is_the_sum_over_pairs() -> None:
    x, y = features(7, 3, 0).tolist(), features(7, 3, 0.5).tolist()

    def kernel(a: list[float], b: list[float]) -> float:
        return (sum(i * j for i, j in zip(a, b, strict=True)) / 3 + 1) ** 3

    def others(z: list[list[float]]) -> float:
        return sum(kernel(z[i], z[j]) for i in range(7) for j in range(7) if i != j) / 42

    expected = others(x) + others(y) - 2 * sum(kernel(a, b) for a in x for b in y) / 49
    rows = torch.cat([torch.tensor(x), torch.tensor(y)], 1).double()
    assert KernelDistance().reduce(rows) == pytest.approx(expected, rel=1e-6)


def test_the_kernel_distance_does_not_fall_with_the_number_of_images() -> None:
    many = torch.cat([features(3000, 4, 0.0), features(3000, 4, 0.3)], 1)
    few = [KernelDistance().reduce(part) for part in many.split(100)]
    assert np.mean(few) == pytest.approx(KernelDistance().reduce(many), rel=0.1)


def test_the_classifier_is_at_the_minimum_of_its_loss() -> None:
    samples = torch.cat([features(30, 5, 0.0), features(30, 5, 0.7)]).numpy()
    labels = np.repeat([-1.0, 1.0], 30)
    weights = fit_linear_svm(samples, labels)
    padded = np.hstack([samples, np.ones((60, 1))])
    missing = np.maximum(0, 1 - labels * (padded @ weights))
    # The loss is strictly convex: where its slope is zero is the only minimum.
    assert np.abs(weights - 2 * padded.T @ (labels * missing)).max() < 1e-3
    assert np.abs(weights).max() > 0.1


def test_what_cannot_be_told_apart_scores_best() -> None:
    real = features(40, 6, 0.0)
    far, near = (torch.cat([features(40, 6, shift), real], 1) for shift in (5.0, 0.1))
    same = torch.cat([real, real], 1)
    for score in (PairedInceptionDiscrimination(), UnpairedInceptionDiscrimination()):
        assert score.reduce(far) == 0
        assert 0.2 < score.reduce(near) <= 0.6
        assert score.reduce(same) == 0.5


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_metric_of_features_fits_its_role_and_one_image_has_no_distance(distance: FrechetDistance) -> None:
    def pooled(images: Tensor) -> Tensor:
        steps = images.diff(dim=-1).abs()
        return torch.nn.functional.adaptive_avg_pool2d(torch.cat([images[..., 1:], 9 * steps], 1), (2, 2)).flatten(1)

    metric = InceptionMetric(pooled, distance, "torch-fidelity")
    check_metric(metric, "image", "common/tried")
    assert metric.convention.startswith("Inception of torch-fidelity, 8-bit RGB")
    rows = metric.measure(torch.zeros(1, 3, 16, 16), torch.ones(1, 1, 16, 16))
    assert rows.shape == (1, 48)
    assert math.isnan(metric.reduce(rows))
