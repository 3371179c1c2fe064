"""Upscaling between pixels, against SciPy, Pillow and torch."""

from __future__ import annotations

import doctest
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import map_coordinates
from torch import Tensor
from torch.nn import functional as F

from restore.core.images.resampling import scale_length
from restore.plugins.classic import interpolation
from restore.plugins.common.images.resize import imresize

METHODS = [
    interpolation.nearest,
    interpolation.bilinear,
    interpolation.bicubic,
    interpolation.bicubic_antialias,
    interpolation.lanczos,
]


def drawn(height: int = 9, width: int = 7) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(height), dtype=torch.float64)


def by_scipy(images: Tensor, scale: float, order: int) -> np.ndarray:
    """Each plane read at the positions of the new centers."""
    height, width = images.shape[-2:]
    rows, columns = (
        [interpolation.source_position(pixel, scale) for pixel in range(scale_length(length, scale))]
        for length in (height, width)
    )
    grid = np.meshgrid(rows, columns, indexing="ij")
    return np.stack([map_coordinates(plane, grid, order=order, mode="nearest") for plane in images[0].numpy()])


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 1.5, 2.37])
def test_bilinear_agrees_with_scipy(scale: float) -> None:
    assert np.abs(interpolation.bilinear(drawn(), scale)[0].numpy() - by_scipy(drawn(), scale, 1)).max() < 1e-12


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 2.37])
def test_nearest_agrees_with_scipy(scale: float) -> None:
    assert np.array_equal(interpolation.nearest(drawn(), scale)[0].numpy(), by_scipy(drawn(), scale, 0))


def test_nearest_takes_the_first_of_two_equally_near_pixels() -> None:
    # At a scale of 2/3 the first center lies at 0.25 and the second at 1.75; at 1/2 they lie between two pixels.
    line = torch.arange(6.0).view(1, 1, 1, 6)
    assert interpolation.nearest(line, 0.5).flatten().tolist() == [0, 2, 4]


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_nearest_and_bilinear_agree_with_torch(scale: int) -> None:
    for method, mode in ((interpolation.nearest, "nearest-exact"), (interpolation.bilinear, "bilinear")):
        assert torch.allclose(method(drawn(), scale), F.interpolate(drawn(), scale_factor=scale, mode=mode), atol=1e-12)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_antialiased_bicubic_is_pillows(scale: int) -> None:
    image = drawn().float()
    expected = [
        np.asarray(Image.fromarray(plane.numpy()).resize((7 * scale, 9 * scale), Image.Resampling.BICUBIC))
        for plane in image[0]
    ]
    assert np.abs(interpolation.bicubic_antialias(image, scale)[0].numpy() - np.stack(expected)).max() < 1e-5


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_lanczos_is_pillows_away_from_the_edge(scale: int) -> None:
    image = drawn(20, 16).float()
    expected = [
        np.asarray(Image.fromarray(plane.numpy()).resize((16 * scale, 20 * scale), Image.Resampling.LANCZOS))
        for plane in image[0]
    ]
    inside = (..., slice(3 * scale, -3 * scale), slice(3 * scale, -3 * scale))
    found = interpolation.lanczos(image, scale)[0].numpy()
    assert np.abs(found[inside] - np.stack(expected)[inside]).max() < 1e-5


def test_bicubic_treats_8_bit_values_as_matlab_treats_uint8() -> None:
    levels = torch.randint(0, 2, (1, 3, 8, 8), generator=torch.Generator().manual_seed(0)).byte() * 255
    found = interpolation.bicubic(levels.float() / 255, 3)
    assert torch.equal((found * 255).round().byte(), imresize(levels, 3))
    assert found.min() >= 0
    assert (found * 255 - (found * 255).round()).abs().max() < 1e-4


@pytest.mark.parametrize("image", [drawn(), drawn() * 2 - 0.5, torch.full((1, 3, 8, 8), -1.0)])
def test_bicubic_does_not_round_values_that_are_not_8_bit(image: Tensor) -> None:
    assert torch.equal(interpolation.bicubic(image, 2), imresize(image, 2))


@pytest.mark.parametrize("method", METHODS)
def test_a_scale_of_one_changes_nothing(method: Callable[[Tensor, float], Tensor]) -> None:
    assert torch.allclose(method(drawn(), 1), drawn(), atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_a_slope_goes_on_between_pixels_and_is_not_moved(method: Callable[[Tensor, float], Tensor]) -> None:
    columns = torch.arange(24, dtype=torch.float64).expand(1, 3, 24, 24) / 100
    upscaled = method(columns, 2)
    positions = torch.tensor([interpolation.source_position(pixel, 2) for pixel in range(48)]) / 100
    allowed = 0.26 / 100 if method is interpolation.nearest else 5e-4  # a window is not quite a sinc
    assert (upscaled[0, 0, 20, 10:-10] - positions[10:-10]).abs().max() <= allowed


def test_the_formulas_in_the_documentation_are_right() -> None:
    assert doctest.testmod(interpolation) == (0, 4)
