"""IoU and Dice under each of their conventions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from restore.core.metrics import Metric
from restore.plugins.common.masks.survey import IGNORED
from restore.plugins.unet import losses, metrics
from restore.plugins.unet.targets import probabilities


def rows(metric: Metric, prediction: Tensor, target: Tensor) -> Tensor:
    return torch.cat([metric.measure(one[None], other[None]) for one, other in zip(prediction, target, strict=True)])


@pytest.fixture
def two_images() -> tuple[Tensor, Tensor]:
    """One image with IoU 1/2 (2 of 4 pixels), one with IoU 4/5."""
    target = torch.zeros(2, 1, 4, 4)
    target[0, 0, 0, :4] = 1
    target[1, 0, 1, :4] = 1
    prediction = torch.full((2, 1, 4, 4), 0.2)
    prediction[0, 0, 0, :2] = 0.9
    prediction[1, 0, 1, :4] = 0.9
    prediction[1, 0, 2, 0] = 0.6
    return prediction, target


def test_pooling_decides_the_number(two_images: tuple[Tensor, Tensor]) -> None:
    def measured(score: metrics.Score, pooling: metrics.Pooling) -> float:
        metric = metrics.Overlap(score, pooling)
        return metric.reduce(rows(metric, *two_images))

    assert measured("iou", "set") == pytest.approx(6 / 9)
    assert measured("iou", "image") == pytest.approx((2 / 4 + 4 / 5) / 2)
    assert measured("dice", "set") == pytest.approx(12 / 15)
    assert measured("dice", "image") == pytest.approx((4 / 6 + 8 / 9) / 2)


def test_batch_pooled_iou_depends_on_the_batch_size_and_says_so(two_images: tuple[Tensor, Tensor]) -> None:
    single, both = metrics.Overlap("iou", "batch", batch=1), metrics.Overlap("iou", "batch", batch=16)
    counted = rows(single, *two_images)
    assert single.reduce(counted) == pytest.approx(0.65, abs=1e-5)
    assert both.reduce(counted) == pytest.approx(6 / 9, abs=1e-5)
    assert "batches of 16" in both.convention
    assert both.name == "iou-batch"


def test_batches_of_unequal_size_count_by_their_size(two_images: tuple[Tensor, Tensor]) -> None:
    metric = metrics.Overlap("iou", "batch", batch=2)
    counted = rows(metric, *two_images)[[0, 0, 1]]
    assert metric.reduce(counted) == pytest.approx((2 * 0.5 + 0.8) / 3, abs=1e-5)


def test_nothing_found_where_there_is_nothing_is_right() -> None:
    empty = torch.zeros(1, 1, 4, 4)
    for pooling in ("set", "image", "batch"):
        metric = metrics.Overlap("iou", pooling)
        assert metric.reduce(metric.measure(empty, empty)) == 1
        assert metric.reduce(metric.measure(torch.ones(1, 1, 4, 4), empty)) == pytest.approx(0, abs=1e-5)


def test_classes_are_averaged_after_pooling_and_measured_alone() -> None:
    target = torch.zeros(1, 2, 2, 2)
    target[0, 0, 0, 0] = 1
    target[0, 1, 1] = 1
    prediction = torch.zeros(1, 2, 2, 2)
    prediction[0, 0, 0] = 1
    prediction[0, 1, 1] = 1
    names = ("one", "two")
    mean = metrics.Overlap("iou", "set", names)
    assert mean.reduce(mean.measure(prediction, target)) == pytest.approx(0.75)
    for name, expected in (("one", 0.5), ("two", 1.0)):
        alone = metrics.Overlap("iou", "set", names, name)
        assert alone.reduce(alone.measure(prediction, target)) == pytest.approx(expected)
        assert alone.name == f"iou[{name}]"


def test_class_numbers_are_compared_by_the_most_probable_class() -> None:
    target = torch.tensor([[[[0, 1], [2, IGNORED]]]])
    scores = torch.zeros(1, 3, 2, 2)
    for place, winner in (((0, 0), 0), ((0, 1), 2), ((1, 0), 2), ((1, 1), 1)):
        scores[(0, winner, *place)] = 0.4
    metric = metrics.Overlap("iou", "set", ("a", "b", "c"))
    # a: 1 of 1; b: 0 of 1 (the ignored pixel does not count as found); c: 1 of 2.
    assert metric.reduce(metric.measure(scores, target)) == pytest.approx((1 + 0 + 0.5) / 3)


def test_rows_do_not_depend_on_how_images_were_batched(two_images: tuple[Tensor, Tensor]) -> None:
    metric = metrics.Overlap()
    assert torch.equal(metric.measure(*two_images), rows(metric, *two_images))


def test_the_sweep_finds_the_best_threshold(two_images: tuple[Tensor, Tensor]) -> None:
    protocol = metrics.sweep(["nucleus"], [0.1, 0.5, 0.7])
    values = {name: metric.reduce(rows(metric, *two_images)) for name, metric in protocol.items()}  # type: ignore[arg-type]
    assert values["iou@0.10"] == pytest.approx(8 / 32)
    assert values["iou"] == pytest.approx(6 / 9)
    assert values["iou@0.70"] == pytest.approx(6 / 8)
    assert values["best-threshold"] == 0.7


@pytest.mark.parametrize("multiclass", [False, True])
def test_the_loss_of_probabilities_is_that_of_their_logits(multiclass: bool) -> None:
    logits = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    numbers = torch.randint(0, 3, (2, 1, 6, 6), generator=torch.Generator().manual_seed(1))
    maps = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(2)).round().double()
    target = numbers if multiclass else maps
    loss = losses.cross_entropy_dice() if multiclass else losses.bce_dice()
    metric = metrics.MeanLoss(loss, "unet/some", multiclass)
    expected = sum(loss(logits, {"target": target}).values())
    measured = metric.reduce(rows(metric, probabilities(logits, multiclass), target))
    assert measured == pytest.approx(float(expected), rel=1e-6)
    assert "unet/some" in metric.convention


def test_a_protocol_names_each_number_once() -> None:
    names = list(metrics.protocol(["a", "b"]))
    assert names[0] == "iou"
    assert {"dice", "iou-image", "dice-image", "iou-batch", "iou[a]", "dice[b]"} <= set(names)
    assert "iou-batch" not in metrics.protocol(["a", "b"], multiclass=True)


@pytest.mark.parametrize("pooling", ["set", "image"])
@pytest.mark.parametrize("score", ["iou", "dice"])
def test_classes_that_are_nowhere_do_not_count_in_the_mean(pooling: metrics.Pooling, score: metrics.Score) -> None:
    names = tuple(map(str, range(59)))
    target = torch.zeros(2, 1, 4, 4, dtype=torch.int64)
    target[:, :, :2] = 1
    scores = torch.zeros(2, 59, 4, 4)
    scores[:, 0] = 1.0  # everything is found to be class 0
    metric = metrics.Overlap(score, pooling, names)
    alone = 0.5 if score == "iou" else 2 / 3
    assert metric.reduce(metric.measure(scores, target)) == pytest.approx((alone + 0) / 2)
    nothing = torch.zeros(2, 2, 4, 4)
    both = metrics.Overlap(score, pooling, ("a", "b"))
    assert both.reduce(both.measure(nothing, nothing)) == 1
