"""Filling holes, against brute force and surfaces that are known everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import pytest
import torch
from scipy.ndimage import convolve
from torch import Tensor

from restore.core.errors import DataError
from restore.plugins.classic.filling import fill_biharmonic, fill_mean, fill_nearest

METHODS = [fill_mean, fill_nearest, fill_biharmonic]


def scene(height: int = 14, width: int = 12) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(3, height, width, generator=generator, dtype=torch.float64)
    mask = (torch.rand(1, height, width, generator=generator) < 0.3).double()
    mask[:, 4:9, 3:8] = 1
    return image, mask


@pytest.mark.parametrize("method", METHODS)
def test_what_stood_in_the_hole_does_not_matter_and_the_rest_stays(method: Callable[[Tensor, Tensor], Tensor]) -> None:
    image, mask = scene()
    filled = method(image, mask)
    assert torch.equal(filled * (1 - mask), image * (1 - mask))
    assert torch.equal(filled, method(torch.where(mask > 0, 7.0, image), mask))


@pytest.mark.parametrize("method", METHODS)
def test_without_a_hole_nothing_changes(method: Callable[[Tensor, Tensor], Tensor]) -> None:
    image, mask = scene()
    assert torch.equal(method(image, torch.zeros_like(mask)), image)


@pytest.mark.parametrize("method", METHODS)
def test_a_hole_as_large_as_the_image_cannot_be_filled(method: Callable[[Tensor, Tensor], Tensor]) -> None:
    image, mask = scene()
    with pytest.raises(DataError, match="whole image"):
        method(image, torch.ones_like(mask))


def test_the_mean_is_that_of_the_known_pixels() -> None:
    image, mask = scene()
    for channel, filled in zip(image, fill_mean(image, mask), strict=True):
        known = [float(channel[y, x]) for y, x in product(range(14), range(12)) if not mask[0, y, x]]
        assert filled[mask[0] > 0].unique().tolist() == [pytest.approx(math.fsum(known) / len(known))]


def test_no_known_pixel_is_nearer_than_the_one_that_is_taken() -> None:
    image, mask = scene()
    filled = fill_nearest(image, mask)
    places = list(product(range(14), range(12)))
    known = [place for place in places if not mask[0][place]]
    for y, x in places:
        nearest = min((y - row) ** 2 + (x - column) ** 2 for row, column in known)
        candidates = [image[:, row, column] for row, column in known if (y - row) ** 2 + (x - column) ** 2 == nearest]
        assert any(torch.equal(filled[:, y, x], candidate) for candidate in candidates)


def test_a_biharmonic_surface_is_continued_exactly() -> None:
    rows, columns = torch.meshgrid(*(torch.linspace(-1, 1, 16, dtype=torch.float64),) * 2, indexing="ij")
    surfaces = torch.stack([rows - 2 * columns, rows * columns + rows**2, columns**3 - rows * columns**2])
    mask = torch.zeros(1, 16, 16)
    mask[:, 5:10, 4:11] = 1
    # scikit-image clips to the range of what is known.
    assert (fill_biharmonic(surfaces / 8 + 0.5, mask) - (surfaces / 8 + 0.5)).abs().max() < 1e-9


def test_the_biharmonic_filling_solves_its_equation() -> None:
    image = 0.45 + 0.1 * torch.rand(1, 20, 20, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    image[0, 0, 0], image[0, -1, -1] = 0, 1  # results are clipped to what is known; let nothing be clipped
    mask = torch.zeros(1, 20, 20)
    mask[:, 8:12, 7:12] = 1
    filled = fill_biharmonic(image, mask)[0].numpy()
    around = [[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]
    bending = convolve(convolve(filled, around), around)[8:12, 7:12]
    assert 0 < filled[8:12, 7:12].min() < filled[8:12, 7:12].max() < 1
    assert abs(bending).max() < 1e-9
