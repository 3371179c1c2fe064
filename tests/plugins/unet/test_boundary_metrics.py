"""Metrics of boundaries against brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_erosion
from scipy.spatial.distance import cdist
from torch import Tensor

from restore.plugins.unet.boundaries import BoundaryIoU, Hausdorff95


def blobs(seed: int, height: int = 40, width: int = 50) -> Tensor:
    """Return a map (1, 1, H, W) of a few overlapping disks, one of which touches the edge."""
    generator = np.random.Generator(np.random.PCG64(seed))
    y, x = np.mgrid[:height, :width]
    mask = np.hypot(y, x - 20) < 8
    for _ in range(3):
        mask |= np.hypot(y - generator.integers(5, height), x - generator.integers(5, width)) < generator.integers(4, 9)
    return torch.from_numpy(mask)[None, None].double()


def test_the_distance_is_that_of_all_pairs_of_boundary_pixels() -> None:
    prediction, target = blobs(1), blobs(2)
    points = [np.argwhere(m & ~binary_erosion(m)) for m in (prediction[0, 0].numpy() > 0, target[0, 0].numpy() > 0)]
    distances = cdist(*points)
    expected = max(np.percentile(distances.min(1), 95), np.percentile(distances.min(0), 95))
    metric = Hausdorff95()
    assert expected > 2
    assert metric.reduce(metric.measure(prediction, target)) == pytest.approx(expected)
    assert metric.reduce(metric.measure(target, target)) == 0


def test_a_moved_square_is_as_far_away_as_it_was_moved() -> None:
    target, prediction = torch.zeros(2, 1, 1, 40, 40).double()
    target[..., 10:20, 10:20] = prediction[..., 10:20, 15:25] = 1
    metric = Hausdorff95()
    assert metric.reduce(metric.measure(prediction, target)) == 5


def test_absent_classes_are_left_out_and_missed_ones_count_as_the_diagonal() -> None:
    metric = Hausdorff95(("a", "b", "c"))
    nothing, something = torch.zeros(1, 1, 30, 40).double(), torch.zeros(1, 1, 30, 40).double()
    something[..., 5:9, 5:9] = 1
    target = torch.cat([something, something, nothing], 1)
    prediction = torch.cat([something, nothing, nothing], 1)
    rows = metric.measure(prediction, target)
    assert metric.reduce(rows) == pytest.approx(50 / 2)
    empty = metric.measure(torch.zeros_like(target), torch.zeros_like(target))
    assert metric.reduce(torch.cat([rows, empty])) == pytest.approx(50 / 2)
    assert math.isnan(metric.reduce(empty))
    assert "without images that have none" in metric.convention


def test_boundary_iou_is_that_of_eroded_masks() -> None:
    prediction, target = blobs(3), blobs(4)
    distance = round(0.05 * math.hypot(40, 50))
    assert distance == 3

    def boundary(mask: Tensor) -> np.ndarray:
        inside = mask[0, 0].numpy() > 0
        return inside & ~binary_erosion(inside, np.ones((3, 3)), iterations=distance)

    a, b = boundary(prediction), boundary(target)
    metric = BoundaryIoU(width=0.05)
    measured = metric.reduce(metric.measure(prediction, target))
    assert measured == pytest.approx((a & b).sum() / (a | b).sum())
    assert 0.05 < measured < 0.9
    assert "width 5 % of the diagonal" in metric.convention


def test_boundary_iou_leaves_out_classes_that_are_nowhere() -> None:
    metric = BoundaryIoU(("a", "b", "c"))
    numbers = blobs(5).long()
    scores = torch.nn.functional.one_hot(numbers[:, 0], 3).permute(0, 3, 1, 2).double()
    assert metric.reduce(metric.measure(scores, numbers)) == 1
    scores[:, :, 20:] = torch.tensor([1.0, 0.0, 0.0]).double().view(1, 3, 1, 1)
    two = BoundaryIoU(("a", "b"))
    spoiled = metric.reduce(metric.measure(scores, numbers))
    assert spoiled == pytest.approx(two.reduce(two.measure(scores[:, :2], numbers)))
    assert spoiled < 1
