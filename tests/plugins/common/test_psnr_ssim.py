"""PSNR and SSIM against recorded results, scikit-image and plain arithmetic."""

from __future__ import annotations

import csv
import math
import os
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from restore.core.errors import DataError
from restore.plugins.common.images.resize import imresize
from restore.plugins.common.metrics import PSNR, SSIM, Comparison
from restore.plugins.common.super_resolution.dataset import evaluation_pairs
from restore.plugins.common.super_resolution.protocols import super_resolution_protocols


def pair(height: int = 24, width: int = 20, channels: int = 3, batch: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(height * width + channels)
    target = torch.rand(batch, channels, height, width, generator=generator)
    return (target + 0.1 * torch.randn(target.shape, generator=generator)).clamp(0, 1), target


def value(metric: PSNR | SSIM, prediction: Tensor, target: Tensor) -> float:
    return metric.reduce(metric.measure(prediction, target))


def test_recorded_results(golden: ModuleType) -> None:
    protocols = super_resolution_protocols(4)
    metrics = [protocols[name][metric] for name in ("rgb-border", "y-border") for metric in ("psnr", "ssim")]

    def measured(a: Tensor, b: Tensor) -> tuple[float, ...]:
        return tuple(metric.reduce(metric.measure(a, b)) for metric in metrics)

    golden.load("basicsr_metrics").check(measured, precision="fp32")


def test_ssim_in_strips_is_that_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    prediction, target = pair(61, 40, batch=2)
    whole = SSIM().measure(prediction, target)
    for windows in (1, 2 * 3 * 30 * 7, 2 * 3 * 30 * 50):
        monkeypatch.setattr("restore.plugins.common.metrics._AT_ONCE", windows)
        torch.testing.assert_close(SSIM().measure(prediction, target), whole, rtol=0, atol=1e-12)


def test_psnr_of_a_known_error() -> None:
    target = torch.full((1, 3, 8, 8), 0.5)
    assert value(PSNR(), target + 0.1, target) == pytest.approx(20.0, abs=1e-5)


def test_psnr_cuts_the_border_before_it_counts() -> None:
    target = torch.zeros(1, 3, 10, 12)
    prediction = torch.ones_like(target)
    prediction[..., 2:-2, 2:-2] = 0.1
    assert value(PSNR(Comparison("rgb", 2)), prediction, target) == pytest.approx(20.0, abs=1e-5)
    assert PSNR(Comparison("rgb", 2)).measure(prediction, target)[0, 1] == 3 * 6 * 8


def test_the_mean_is_over_images_not_over_errors() -> None:
    target = torch.full((2, 1, 8, 8), 0.5)
    prediction = target + torch.tensor([0.1, 0.01]).view(2, 1, 1, 1)
    assert value(PSNR(), prediction, target) == pytest.approx(30.0, abs=1e-4)


def test_identical_images_have_an_infinite_psnr_and_make_the_mean_infinite() -> None:
    prediction, target = pair(batch=2)
    prediction[0] = target[0]
    rows = PSNR().measure(prediction, target)
    assert torch.isfinite(rows).all()
    assert PSNR().reduce(rows[:1]) == math.inf
    assert PSNR().reduce(rows) == math.inf
    assert value(SSIM(), target, target) == pytest.approx(1.0, abs=1e-12)


def test_a_prediction_that_is_no_number_does_not_get_a_good_mark() -> None:
    prediction, target = pair()
    prediction[0, 0, 12, 10] = math.nan
    assert math.isnan(value(PSNR(Comparison("y8", 1)), prediction, target))


@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_agrees_with_scikit_image_where_whole_windows_fit(channels: int) -> None:
    prediction, target = pair(channels=channels)
    expected = [
        structural_similarity(
            prediction[0, channel].numpy().astype(np.float64) * 255,
            target[0, channel].numpy().astype(np.float64) * 255,
            gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, full=True,
        )[1][5:-5, 5:-5].mean()
        for channel in range(channels)
    ]  # fmt: skip
    assert value(SSIM(), prediction, target) == pytest.approx(np.mean(expected), abs=1e-10)


def test_rows_depend_on_their_image_alone() -> None:
    prediction, target = pair(batch=3)
    for metric in super_resolution_protocols(2)["y8-border"].values():
        alone = [metric.measure(prediction[i : i + 1], target[i : i + 1]) for i in range(3)]
        rows = metric.measure(prediction, target)
        assert rows.dtype == torch.float64
        assert torch.allclose(rows, torch.cat(alone), rtol=1e-13)


def test_a_grayscale_target_is_its_own_luma() -> None:
    prediction, target = pair(channels=1)
    color = prediction.expand(-1, 3, -1, -1)
    for name in ("y8-border", "y-border", "rgb-border", "rgb"):
        for metric in super_resolution_protocols(2)[name].values():
            gray = metric.reduce(metric.measure(prediction, target))
            assert metric.reduce(metric.measure(color, target)) == pytest.approx(gray, abs=1e-9)
    # A gray image stored in three channels is an image in color: its luma spans 219 of 255 steps.
    squeezed = value(PSNR(Comparison("y", 2)), color, target.expand(-1, 3, -1, -1))
    assert squeezed - value(PSNR(Comparison("y", 2)), prediction, target) == pytest.approx(
        20 * math.log10(255 / 219), abs=1e-9
    )


def test_the_four_conventions_give_four_numbers_and_are_named() -> None:
    prediction, target = pair()
    protocols = super_resolution_protocols(4)
    metrics = {name: protocol["psnr"] for name, protocol in protocols.items()}
    assert {name: metric.convention for name, metric in metrics.items()} == {
        "y8-border": "8-bit Y, border 4",
        "y-border": "Y, border 4",
        "rgb-border": "8-bit RGB, border 4",
        "rgb": "RGB",
    }
    assert len({metric.reduce(metric.measure(prediction, target)) for metric in metrics.values()}) == 4


def test_a_broken_scale_cuts_a_whole_border() -> None:
    assert super_resolution_protocols(2.5)["y-border"]["ssim"].convention == "Y, border 3"


def test_8_bit_conventions_clip_and_round_half_up() -> None:
    target = torch.full((1, 1, 4, 4), 100 / 255)
    errors = {100.49: 0, 100.5: 1, 99.5: 0, 99.49: 1, 300.0: 155, -20.0: 100}
    for level, error in errors.items():
        row = PSNR(Comparison("rgb8")).measure(torch.full((1, 1, 4, 4), level / 255, dtype=torch.float64), target)
        assert float(row[0, 0] / row[0, 1]) == pytest.approx(error**2, abs=1e-4), level


def test_images_that_are_too_small_for_ssim_do_not_count() -> None:
    small, large = torch.zeros(1, 3, 12, 30), torch.zeros(1, 3, 15, 30)
    ssim = SSIM(Comparison("rgb", 2))
    rows = torch.cat([ssim.measure(small, small), ssim.measure(large, large)])
    assert rows.isnan().flatten().tolist() == [True, False]
    assert ssim.reduce(rows) == 1.0
    assert ssim.least_side == 15


def test_images_that_are_too_small_for_a_border_have_no_psnr() -> None:
    small = torch.zeros(1, 3, 12, 30)
    psnr = PSNR(Comparison("rgb", 6))
    assert psnr.least_side == 13
    assert bool(psnr.measure(small, small).isnan().all())
    with pytest.raises(DataError, match="30x12 pixels is too small for a metric with a border of 6"):
        psnr.comparison(small, small)


@pytest.mark.parametrize("shape", [(1, 3, 12, 11), (2, 3, 12, 12), (1, 1, 12, 12), (1, 4, 12, 12)])
def test_shapes_that_do_not_match_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="of one size"):
        PSNR().measure(torch.zeros(shape), torch.zeros(1, 3, 12, 12))


@pytest.mark.skipif("RESTORE_SR_DATA" not in os.environ, reason="RESTORE_SR_DATA names no folder of Set5 and Set14")
def test_published_results_of_bicubic() -> None:
    root = Path(os.environ["RESTORE_SR_DATA"])
    with (root / "bicubic_published.csv").open() as file:
        published = {
            (row["set"], int(row["scale"]), row["image"], metric): float(row[metric])
            for row in csv.DictReader(file)
            for metric in ("psnr", "ssim")
        }
    found = {}
    for name, scale in {key[:2] for key in published}:
        pairs = evaluation_pairs(root / name / f"x{scale}", None)
        for index in range(len(pairs)):
            sample = pairs[index]
            upscaled = imresize((sample["input"] * 255).round().byte(), scale)[None] / 255
            for key, metric in super_resolution_protocols(scale)["y8-border"].items():
                rows = metric.measure(upscaled, sample["target"][None])
                found[name, scale, pairs.name(index), key] = metric.reduce(rows)
    assert found.keys() == published.keys()
    for key, number in published.items():
        assert found[key] == pytest.approx(number, abs=1e-4 if key[-1] == "psnr" else 1e-5), key
