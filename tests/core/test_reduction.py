"""Images that cannot count leave the others' numbers as they are, and are named."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from restore.core.dataset import as_dataset
from restore.core.errors import DataError
from restore.core.metrics import EvaluationProtocol
from restore.core.reduction import Evaluation, describe_target, reduce_rows
from restore.plugins.common.metrics import PSNR, SSIM, Comparison
from restore.plugins.common.quality.pixels import L1


class Pairs:
    """Images of given sides with an error of so many levels; they are named by both."""

    def __init__(self, *pairs: tuple[int, float]) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        side, levels = self.pairs[index]
        target = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(side)) / 2
        return {"prediction": target + levels / 255, "target": target}

    def name(self, index: int) -> str:
        return "{}-{:g}".format(*self.pairs[index])


def reduced(protocol: EvaluationProtocol, *pairs: tuple[int, float]) -> Evaluation:
    images: Any = as_dataset(Pairs(*pairs))
    rows = []
    for index in range(len(pairs)):
        sample = images[index]
        measured = {key: metric.measure(sample["prediction"], sample["target"]) for key, metric in protocol.items()}
        rows.append((index, {**describe_target(sample["target"]), **measured}))
    return reduce_rows(rows, protocol, images, "net")


BOTH: EvaluationProtocol = {"psnr": PSNR(Comparison("rgb", 2)), "ssim": SSIM(Comparison("rgb", 2))}


def test_the_mean_is_that_of_the_images_that_can_be_measured() -> None:
    found = reduced(BOTH, (20, 1), (20, 0), (12, 2), (4, 3))
    psnr, ssim = found.numbers
    assert psnr.value == pytest.approx(20 * math.log10(255) - 20 * math.log10(2) / 2, abs=1e-4)
    assert (psnr.images, psnr.left_out, psnr.coverage) == (4, 2, " over 2 of 4 images")
    assert (ssim.left_out, ssim.coverage) == (2, " over 2 of 4 images")
    assert ssim.value == pytest.approx(reduced(BOTH, (20, 1), (20, 0)).numbers[1].value)
    assert found.notes == [
        "psnr (RGB, border 2): 1 of 4 images is smaller than 5 pixels and left out: 4-3",
        "psnr (RGB, border 2) of net: 1 of 4 images is perfect, which makes it infinite, and left out: 20-0",
        "ssim (RGB, border 2): 2 of 4 images are smaller than 15 pixels and left out: 12-2, 4-3",
    ]
    values = {(row["image"], row["name"]): row["value"] for row in found.per_image}
    assert math.isinf(values["20-0", "psnr"])
    assert math.isnan(values["12-2", "ssim"])


def test_a_set_that_is_too_small_for_one_metric_has_the_others() -> None:
    found = reduced({**BOTH, "l1": L1(Comparison("rgb"))}, (6, 1), (7, 1))
    psnr, ssim, l1 = found.numbers
    assert psnr.value == pytest.approx(20 * math.log10(255), abs=1e-4)
    assert l1.value == pytest.approx(1 / 255)
    assert math.isnan(ssim.value)
    assert (ssim.left_out, ssim.coverage) == (2, "")
    assert found.notes == ["ssim (RGB, border 2): 2 of 2 images are smaller than 15 pixels and left out: 6-1, 7-1"]
    with pytest.raises(DataError, match="all images are too small for PSNR, which needs 5x5 pixels"):
        reduced(BOTH, (3, 1), (4, 1))


def test_perfect_images_alone_are_infinite() -> None:
    found = reduced(BOTH, (20, 0), (21, 0))
    assert math.isinf(found.numbers[0].value)
    assert found.notes == ["psnr (RGB, border 2) of net is infinite, and so it is for every image"]


def test_what_a_network_makes_nan_is_not_taken_for_a_small_image() -> None:
    found = reduced(BOTH, (20, 1), (21, math.nan), (5, 1))
    assert all(math.isnan(number.value) for number in found.numbers)
    blamed = [note for note in found.notes if "is nan" in note]
    assert len(blamed) == 2
    assert all(note.endswith("1 of 3 images is to blame, whose values are no numbers: 21-nan") for note in blamed)
