"""Numbers of filled holes: by bucket of hole shares, and by kind of holes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from restore.core.evaluation import evaluate
from restore.core.metrics import PartialMetric
from restore.plugins.common.inpainting.metrics import (
    BUCKETS,
    MaskedL1,
    MaskedPSNR,
    inpainting_protocols,
    measure_samples,
)
from restore.plugins.common.masks.settings import KINDS
from restore.plugins.common.metrics import PSNR, Comparison
from restore.registry import get

PROTOCOLS = inpainting_protocols()


def batch(coverages: list[float], kinds: list[int] | None = None) -> dict[str, Tensor]:
    """Gray images of 20 x 20 pixels whose upper rows are a hole."""
    target = torch.full((len(coverages), 3, 20, 20), 100 / 255)
    mask = torch.zeros(len(coverages), 1, 20, 20)
    for index, coverage in enumerate(coverages):
        mask[index, :, : round(20 * coverage)] = 1
    return {"target": target, "mask": mask, "kind": torch.tensor(kinds or [-1] * len(coverages))}


def numbers(protocol: str, prediction: Tensor, given: dict[str, Tensor]) -> dict[str, float]:
    rows = measure_samples(prediction, given, PROTOCOLS[protocol])
    return {name: metric.reduce(rows[name]) for name, metric in PROTOCOLS[protocol].items()}


def test_a_bucket_has_the_numbers_of_its_images_alone() -> None:
    given = batch([0.05, 0.1, 0.15, 0.45])
    errors = (10, 20, 30, 40)
    wrong = given["target"] + given["mask"] * torch.tensor(errors)[:, None, None, None] / 255
    found = numbers("buckets", wrong, given)
    assert found["masked-l1-0-10"] == pytest.approx((errors[0] + errors[1]) / 2 / 255)  # 10 % belongs to the lower one
    assert found["masked-l1-10-20"] == pytest.approx(errors[2] / 255)
    assert found["masked-psnr-40-50"] == pytest.approx(20 * math.log10(255 / errors[3]))
    whole = PSNR(Comparison("rgb8"))
    assert found["psnr-40-50"] == pytest.approx(whole.reduce(whole.measure(wrong[3:], given["target"][3:])))
    assert math.isnan(found["ssim-20-30"])
    assert len(found) == 4 * len(BUCKETS)


def test_all_buckets_together_are_all_images() -> None:
    coverages = [index / 20 for index in range(1, 20)]
    given = batch(coverages)
    rows = measure_samples(given["target"], given, PROTOCOLS["buckets"])
    names = [f"masked-psnr-{low}-{high}" for low, high in BUCKETS]
    metrics = PROTOCOLS["buckets"]
    belongs = torch.stack(
        [(rows[name][:, 0] > metrics[name].above) & (rows[name][:, 0] <= metrics[name].upto) for name in names]  # type: ignore[attr-defined]
    )
    assert belongs.sum(0).tolist() == [1] * len(coverages)


def test_a_kind_has_the_numbers_of_its_holes_alone() -> None:
    given = batch([0.2, 0.2, 0.2], [KINDS.index("strokes"), KINDS.index("border"), -1])
    wrong = given["target"] + given["mask"] * torch.tensor([0.1, 0.2, 0.3])[:, None, None, None]
    found = numbers("kinds", wrong, given)
    alone = MaskedPSNR()
    for index, kind in enumerate(("strokes", "border")):
        rows = alone.measure_inside(*(part[index : index + 1] for part in (wrong, given["target"], given["mask"])))
        assert found[f"psnr-{kind}"] == pytest.approx(alone.reduce(rows))
    assert math.isnan(found["psnr-blobs"])
    without = {name: tensor for name, tensor in given.items() if name != "kind"}
    assert all(math.isnan(numbers("kinds", wrong, without)[f"psnr-{kind}"]) for kind in KINDS)


def test_images_without_a_hole_are_left_out_of_the_numbers_of_holes() -> None:
    given = batch([0.5, 0.0])
    wrong = given["target"] + 26 / 255
    found = numbers("inpainting", wrong, given)
    assert found["masked-l1"] == pytest.approx(26 / 255, abs=1e-6)
    assert math.isnan(MaskedL1().reduce(torch.zeros(2, 2)))


def test_only_numbers_of_some_images_may_be_missing() -> None:
    partial = {
        name: [isinstance(metric, PartialMetric) for metric in each.values()] for name, each in PROTOCOLS.items()
    }
    assert not any(partial["inpainting"])
    assert all(partial["buckets"])
    assert partial["kinds"].count(True) == len(KINDS)


def test_names_are_unique_and_every_number_says_how_it_was_measured() -> None:
    for protocol in PROTOCOLS.values():
        assert len({metric.name for metric in protocol.values()}) == len(protocol)
        assert all(metric.convention.startswith("8-bit RGB") for metric in protocol.values())


def test_the_sample_is_measured_by_kind_and_by_bucket() -> None:
    method = get("tasks", "classic/mean")
    task = method(method.settings_type())
    images = task.evaluation_data(None)
    assert next(iter(task.protocols())) == "inpainting"
    kinds = evaluate(task, {}, images, task.protocols()["kinds"], of="mean")
    assert all(math.isfinite(number.value) for number in kinds.numbers)
    buckets = {
        number.name: number.value
        for number in evaluate(task, {}, images, task.protocols()["buckets"], of="mean").numbers
    }
    assert math.isfinite(buckets["masked-psnr 10-20 %"])
    assert math.isnan(buckets["masked-psnr 50-60 %"])
