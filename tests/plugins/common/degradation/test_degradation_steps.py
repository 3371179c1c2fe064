"""Single steps of a degradation, against what they are by definition."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import torch
from torch import Tensor

from restore.plugins.common.degradation import drawing, steps
from restore.plugins.common.degradation.compression import Format, compress
from restore.plugins.common.degradation.kernels import draw_kernel, gaussian, plateau, sinc
from restore.plugins.common.degradation.settings import BlurSettings, KernelKind, NoiseSettings, ResizeSettings
from restore.plugins.common.images.samples import photographs

pytestmark = pytest.mark.usefixtures("one_thread", "seeded")


def photograph(side: int = 96) -> Tensor:
    return photographs("validation")[0][:, :side, :side]


def only(kind: KernelKind, **changes: Any) -> BlurSettings:
    kinds = BlurSettings().kernels
    return BlurSettings(kernels={name: float(name == kind) for name in kinds}, **changes)


def covariance(kernel: Tensor) -> Tensor:
    line = torch.arange(len(kernel), dtype=torch.float64) - len(kernel) // 2
    across, down = kernel.double().sum(0), kernel.double().sum(1)
    mixed = (kernel.double() * line[:, None] * line[None, :]).sum()
    return torch.stack([(across * line**2).sum(), (down * line**2).sum(), mixed])


@pytest.mark.parametrize("kind", list(BlurSettings().kernels))
def test_kernels_sum_to_one_and_have_the_sides_that_were_asked_for(kind: KernelKind) -> None:
    drawn = [draw_kernel(only(kind, sides=(5, 11))) for _ in range(60)]
    assert {kernel.shape for kernel in drawn} == {(side, side) for side in (5, 7, 9, 11)}
    for kernel in drawn:
        assert float(kernel.double().sum()) == pytest.approx(1, abs=1e-6)
        assert kind == "sinc" or bool((kernel >= 0).all())
        assert torch.allclose(kernel, kernel.rot90(2), atol=1e-7)  # no kernel moves the image


def test_a_turned_gaussian_has_the_covariance_of_its_axes() -> None:
    angle = 0.4
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    expected = turn @ np.diag([3.0**2, 1.5**2]) @ turn.T
    found = covariance(gaussian(51, (3.0, 1.5), angle))
    assert found.tolist() == pytest.approx([expected[0, 0], expected[1, 1], expected[0, 1]], rel=1e-3)


def test_shapes_flatten_a_kernel_or_make_it_pointed() -> None:
    drawn = [gaussian(21, (3, 3), shape=shape) for shape in (4.0, 2.0, 1.0, 0.5)]
    points = [float(kernel[10, 10] / kernel[10, 11]) for kernel in drawn]
    assert points == sorted(points)
    assert points == pytest.approx([math.exp(0.5 * (1 / 9) ** shape) for shape in (4.0, 2.0, 1.0, 0.5)])
    row = plateau(21, (4, 4), shape=6.0)[10]
    assert float(row[10]) == pytest.approx(float(row[12]), rel=0.02)
    assert float(row[18]) < 0.05 * float(row[10])


def test_a_sinc_passes_low_frequencies_and_stops_high_ones() -> None:
    response = torch.fft.rfft2(sinc(51, math.pi / 2).double(), s=(256, 256)).abs()
    radians = 2 * math.pi * torch.arange(129) / 256
    along = response[0]
    assert float((along[radians < 0.38 * math.pi] - 1).abs().max()) < 0.15
    assert float(along[radians > 0.62 * math.pi].max()) < 0.1


@pytest.mark.parametrize("side", [3, 7, 21])
def test_a_blur_is_a_convolution_with_a_mirrored_border(side: int) -> None:
    image, kernel = torch.rand(3, 40, 33), torch.rand(side, side)
    expected = [scipy.ndimage.convolve(plane, kernel.numpy(), mode="mirror") for plane in image.numpy()]
    assert np.abs(steps.blur(image, kernel).numpy() - np.stack(expected)).max() < 1e-4


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (4, 3)])
def test_images_smaller_than_a_kernel_are_mirrored_as_often_as_needed(size: tuple[int, int]) -> None:
    image = torch.rand(3, *size)
    expected = np.pad(image.numpy(), ((0, 0), (9, 9), (9, 9)), mode="reflect")
    assert np.array_equal(steps.pad_by_mirroring(image, 9).numpy(), expected)


@pytest.mark.parametrize("to", ["JPEG", "WEBP"])
def test_a_higher_quality_is_closer_to_the_image(to: Format) -> None:
    image = photograph()
    errors = [float((compress(image, quality, to).float() - image).square().mean()) for quality in (10, 30, 60, 90)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 4 * errors[-1] > 0


@pytest.mark.parametrize("sigma", [2.0, 10.0, 25.0])
def test_gaussian_noise_has_the_variance_that_was_set(sigma: float) -> None:
    settings = NoiseSettings(poisson=0, gray=0, sigma=(sigma, sigma))
    noise = 255 * (steps.add_noise(torch.full((3, 128, 128), 0.5), settings) - 0.5)
    assert float(noise.std()) == pytest.approx(sigma, rel=0.02)
    assert abs(float(noise.mean())) < 4 * sigma / math.sqrt(noise.numel())
    correlation = torch.corrcoef(noise.flatten(1))
    assert float((correlation - torch.eye(3)).abs().max()) < 0.05


@pytest.mark.parametrize("level", [0.1, 0.5, 0.8])
def test_poisson_noise_has_a_variance_in_proportion_to_brightness(level: float) -> None:
    settings = NoiseSettings(poisson=1, gray=0, poisson_scale=(0.7, 0.7))
    noise = steps.add_noise(torch.full((3, 128, 128), level), settings) - level
    assert float(noise.var()) == pytest.approx(0.7**2 * level / 256, rel=0.03)
    assert abs(float(noise.mean())) < 1e-3


@pytest.mark.parametrize("poisson", [0.0, 1.0])
def test_gray_noise_is_equal_in_all_channels(poisson: float) -> None:
    image = photograph().float() / 510 + 0.25
    noise = steps.add_noise(image, NoiseSettings(poisson=poisson, gray=1, sigma=(3, 3))) - image
    assert float((noise - noise[:1]).abs().max()) < 1e-6
    assert float(noise.std()) > 0


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("by", ["area", "bilinear", "bicubic"])
def test_resizing_keeps_flat_areas_and_means(by: Any, antialias: bool) -> None:
    image = torch.full((3, 30, 41), 0.3)
    for size in ((13, 20), (47, 41), (1, 1)):
        resized = steps.resize(image, size, by, antialias=antialias)
        assert resized.shape == (3, *size)
        assert float((resized - 0.3).abs().max()) < 1e-6
    halves = photograph(64).float() / 255
    assert float(steps.resize(halves, (32, 32), "area").mean()) == pytest.approx(float(halves.mean()), abs=1e-5)


def test_factors_lie_in_their_range_on_the_side_that_was_drawn() -> None:
    settings = ResizeSettings(up=0.3, down=0.5, factors=(0.25, 2.0))
    drawn = torch.tensor([steps.draw_factor(settings) for _ in range(2000)])
    assert 0.25 <= float(drawn.min()) < 0.3
    assert 1.9 < float(drawn.max()) <= 2.0
    parts = [float(part.float().mean()) for part in (drawn > 1, drawn < 1, drawn == 1)]
    assert parts == pytest.approx([0.3, 0.5, 0.2], abs=0.04)


def test_sharpening_adds_detail_and_a_threshold_leaves_flat_areas_alone() -> None:
    image = photograph().float() / 255
    blurred = steps.blur(image, gaussian(7, (1.0, 1.0)))
    sharper = steps.sharpen(image, 0.5, 1.0)
    inside = (image + 0.5 * (image - blurred)).clamp(0, 1)
    assert torch.allclose(sharper, inside, atol=1e-5)
    faint = 0.5 + 0.01 * torch.rand(3, 32, 32)
    assert torch.equal(steps.sharpen(faint, 0.5, 1.0, threshold=10 / 255), faint)


def test_what_is_drawn_has_the_probabilities_that_were_set() -> None:
    names = [drawing.choose_weighted({"a": 3.0, "b": 1.0, "never": 0.0}) for _ in range(2000)]
    assert set(names) == {"a", "b"}
    assert names.count("a") / 2000 == pytest.approx(0.75, abs=0.04)
    assert sum(drawing.happens(0.8) for _ in range(2000)) / 2000 == pytest.approx(0.8, abs=0.03)
    assert {drawing.draw_integer((3, 5)) for _ in range(60)} == {3, 4, 5}
    with pytest.raises(ValueError, match="no weight"):
        drawing.choose_weighted({"a": 0.0})
