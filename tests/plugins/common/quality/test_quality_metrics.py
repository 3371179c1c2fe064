"""MS-SSIM, GMSD and HaarPSI against recorded results of piq 0.8.0; errors of pixels against plain arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.metrics import InputMetric, Metric, SizedMetric, measure_batch
from restore.plugins.common.images.resize import imresize
from restore.plugins.common.metrics import PSNR, Comparison
from restore.plugins.common.quality.consistency import LowResolutionPSNR
from restore.plugins.common.quality.gradients import GMSD
from restore.plugins.common.quality.haar import HaarPSI
from restore.plugins.common.quality.multiscale import MSSSIM
from restore.plugins.common.quality.pixels import L1, L2, TotalVariation
from restore.plugins.common.quality.spectrum import LogSpectralDistance
from restore.plugins.common.quality.texture import TextureSimilarity


def pair(channels: int = 3, height: int = 192, width: int = 208) -> tuple[Tensor, Tensor]:
    """Return an image that is a little blurred and noisy, and what it should be; both have values of 8 bits."""
    generator = np.random.Generator(np.random.PCG64(7))
    coarse = torch.from_numpy(generator.random((1, channels, -(-height // 16), -(-width // 16))))
    target = F.interpolate(coarse, (height, width), mode="bilinear")
    target = 0.8 * target + 0.2 * torch.from_numpy(generator.random((1, channels, height, width)))
    noise = torch.from_numpy(generator.standard_normal((1, channels, height, width)))
    prediction = 0.7 * F.avg_pool2d(target, 3, 1, 1) + 0.3 * target + 0.03 * noise
    rounded = [(image.clamp(0, 1) * 255 + 0.5).floor() / 255 for image in (prediction, target)]
    return rounded[0], rounded[1]


def value(metric: Metric, prediction: Tensor, target: Tensor) -> float:
    return metric.reduce(metric.measure(prediction, target))


@pytest.mark.parametrize(
    ("metric", "channels", "expected"),
    [
        (MSSSIM(Comparison("rgb8")), 3, 0.965476799499017),
        (MSSSIM(Comparison("rgb8")), 1, 0.9654128254214807),
        (GMSD(), 3, 0.04923102816158246),
        (GMSD(), 1, 0.051218261455095705),
        (HaarPSI(), 3, 0.8162536194093566),
        (HaarPSI(), 1, 0.7584717337209829),
    ],
)
def test_results_are_those_of_piq(metric: Metric, channels: int, expected: float) -> None:
    assert value(metric, *pair(channels)) == pytest.approx(expected, abs=1e-9)


def test_gmsd_is_that_of_its_paper() -> None:
    prediction, target = (image[0, 0].numpy() * 255 for image in pair(1, 30, 26))

    def gradients(image: np.ndarray) -> np.ndarray:
        halved = image.reshape(15, 2, 13, 2).mean((1, 3))
        padded = np.pad(halved, 1)
        rows, columns = padded[:-2] + padded[1:-1] + padded[2:], padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
        return np.hypot(rows[:, 2:] - rows[:, :-2], columns[2:] - columns[:-2]) / 3

    a, b = gradients(prediction), gradients(target)
    expected = ((2 * a * b + 170) / (a**2 + b**2 + 170)).std()
    assert value(GMSD(), *pair(1, 30, 26)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("metric", "best"),
    [
        *((MSSSIM(), 1), (GMSD(), 0), (HaarPSI(), 1), (TextureSimilarity(), 1), (LogSpectralDistance(), 0)),
        *((L1(), 0), (L2(), 0)),
    ],
)
def test_equal_images_have_the_best_value(metric: Metric, best: float) -> None:
    _, target = pair()
    flat = torch.full_like(target, 0.5)
    assert value(metric, target, target) == pytest.approx(best, abs=1e-12)
    assert value(metric, flat, flat) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize(
    "make", [lambda border: MSSSIM(Comparison("y8", border)), GMSD, HaarPSI, TextureSimilarity, LogSpectralDistance]
)
def test_small_images_are_left_out_and_the_border_counts(make: Callable[[int], Metric]) -> None:
    for border in (0, 4):
        metric = make(border)
        assert isinstance(metric, SizedMetric)
        side = metric.least_side
        assert side == make(0).least_side + 2 * border  # type: ignore[attr-defined]
        measured = [metric.measure(*pair(3, height, 192)) for height in (side, side - 1)]
        assert math.isfinite(metric.reduce(measured[0]))
        assert bool(measured[1].isnan().all())
        assert metric.reduce(torch.cat(measured)) == metric.reduce(measured[0])
        assert ("border 4" in metric.convention) == bool(border)


@pytest.mark.parametrize(
    "metric",
    [
        *(MSSSIM(), GMSD(), HaarPSI(), TextureSimilarity(), LogSpectralDistance()),
        *(L1(), L2(), TotalVariation(), LowResolutionPSNR()),
    ],
)
def test_a_color_prediction_of_a_gray_target_can_be_measured(metric: Metric) -> None:
    prediction, target = pair(1)
    gray = value(metric, prediction, target)
    assert value(metric, prediction.expand(-1, 3, -1, -1), target) == pytest.approx(gray, abs=1e-9)


def test_errors_of_pixels_are_relative_to_white() -> None:
    target = torch.zeros(1, 3, 4, 4)
    prediction = target.clone()
    prediction[:, :, :2] = 51 / 255
    assert value(L1(Comparison("rgb8")), prediction, target) == pytest.approx(0.1)
    assert value(L2(Comparison("rgb8")), prediction, target) == pytest.approx(0.02)
    # One of three differences between vertical neighbors is 0.2, none between horizontal ones.
    assert value(TotalVariation(Comparison("rgb8")), prediction, target) == pytest.approx(0.2 / 3)
    assert "white is 1" in L1().convention


def test_blur_and_noise_both_have_another_total_variation() -> None:
    prediction, target = pair()
    blurred = F.avg_pool2d(target, 5, 1, 2)
    noisy = (target + 0.1 * (prediction - target).sign()).clamp(0, 1)
    assert value(TotalVariation(), blurred, target) > 0.01
    assert value(TotalVariation(), noisy, target) > 0.01


def test_consistency_compares_the_output_with_the_input_and_not_with_the_target() -> None:
    _, target = pair()
    inputs = (imresize(target, 1 / 4).clamp(0, 1) * 255).round() / 255
    metric = LowResolutionPSNR()
    assert isinstance(metric, InputMetric)
    rows = measure_batch(metric, target, {"target": torch.zeros_like(target), "input": inputs})
    assert metric.reduce(rows) == math.inf
    shifted = (inputs * 255 + 1).clamp(max=255) / 255
    rows = measure_batch(metric, target, {"target": target, "input": shifted})
    assert metric.reduce(rows) == pytest.approx(20 * math.log10(255), abs=1e-6)


def test_consistency_of_a_fractional_scale_has_the_size_of_the_input() -> None:
    inputs = pair(3, 33, 31)[1]
    upscaled = imresize(inputs, 2.5).clamp(0, 1)
    assert upscaled.shape[-2:] == (83, 78)
    rows = LowResolutionPSNR().measure_from(upscaled, upscaled, inputs)
    assert LowResolutionPSNR().reduce(rows) > 20


def test_texture_is_that_of_energies_computed_pixel_by_pixel() -> None:
    prediction, target = (image[0, 0].numpy() * 255 for image in pair(1, 16, 12))

    def energies(image: np.ndarray) -> np.ndarray:
        found = []
        for half in (1, 2, 4):
            padded = np.pad(image, (half - 1, half))
            for turned in (padded, padded.T):
                rows, columns = image.shape if turned is padded else image.shape[::-1]
                squares = np.empty((rows, columns))
                for y in range(rows):
                    for x in range(columns):
                        block = turned[y : y + 2 * half, x : x + 2 * half]
                        squares[y, x] = ((block[half:].sum() - block[:half].sum()) / (2 * half)) ** 2
                squares = squares if turned is padded else squares.T
                starts = [(y, x) for y in range(0, 9, 4) for x in range(0, 5, 4)]
                found += [math.sqrt(squares[y : y + 8, x : x + 8].mean()) for y, x in starts]
        return np.array(found)

    a, b = energies(prediction), energies(target)
    expected = np.average((2 * a * b + 30) / (a**2 + b**2 + 30), weights=np.maximum(a, b))
    assert value(TextureSimilarity(), *pair(1, 16, 12)) == pytest.approx(expected, abs=1e-12)


def test_texture_that_is_moved_by_a_pixel_is_better_than_none_and_psnr_says_the_opposite() -> None:
    _, target = pair()
    blurred, moved = F.avg_pool2d(target, 5, 1, 2), target.roll(1, -1)
    assert value(PSNR(), blurred, target) > value(PSNR(), moved, target)
    assert value(TextureSimilarity(), moved, target) > 0.95 > value(TextureSimilarity(), blurred, target)


def test_the_log_spectral_distance_is_that_of_spectra_summed_by_hand() -> None:
    prediction, target = (image[0, 0].numpy() * 255 for image in pair(1, 24, 29))
    slope = np.sin(np.pi * np.arange(1, 17) / 17) ** 2
    weights = np.outer(slope, slope)

    def bands(window: np.ndarray) -> np.ndarray:
        centered = (window - (window * weights).sum() / weights.sum()) * weights
        powers: dict[tuple[int, int], list[float]] = {}
        for u in range(-7, 8):
            for v in range(-7, 8):
                if u or v:
                    waves = np.exp(-2j * np.pi * np.add.outer(u * np.arange(16), v * np.arange(16)) / 16)
                    octave = math.ceil(math.log2(128 / (u * u + v * v)) / 2 + 1e-9)
                    band = octave, round(math.degrees(math.atan2(u, v)) / 45) % 4
                    power = abs((centered * waves).sum()) ** 2 / (weights**2).sum()
                    powers.setdefault(band, []).append(power)
        return np.array([np.mean(powers[band]) for band in sorted(powers)])

    distances = []
    for y, x in ((y, x) for y in (0, 8) for x in (0, 8)):
        a, b = (bands(image[y : y + 16, x : x + 16]) for image in (prediction, target))
        assert a.shape == (16,)
        distances.append(np.sqrt(((10 * np.log10((a + 1) / (b + 1))) ** 2).mean()))
    assert value(LogSpectralDistance(), *pair(1, 24, 29)) == pytest.approx(np.mean(distances), abs=1e-9)


def test_the_log_spectral_distance_knows_the_strength_of_detail_and_neither_its_place_nor_a_direction() -> None:
    _, target = pair(1)
    noise = torch.from_numpy(np.random.Generator(np.random.PCG64(1)).standard_normal(target.shape))
    flat = torch.full_like(target, 0.5)
    ten, twenty = ((flat + level / 255 * noise).clamp(0, 1) for level in (10, 20))
    assert value(LogSpectralDistance(), twenty, ten) == pytest.approx(20 * math.log10(2), abs=0.1)
    blurred, moved = F.avg_pool2d(target, 5, 1, 2), target.roll(1, -1)
    assert value(LogSpectralDistance(), moved, target) < value(LogSpectralDistance(), blurred, target)
    found = value(LogSpectralDistance(), blurred, target)
    for turn in (lambda image: image.flip(-1), lambda image: image.mT):
        assert value(LogSpectralDistance(), turn(blurred), turn(target)) == pytest.approx(found, abs=1e-9)
