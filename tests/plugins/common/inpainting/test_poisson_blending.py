"""Poisson blending against the equations, written down pixel by pixel."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from restore.core.errors import DataError
from restore.plugins.common.inpainting.blending import poisson_blend


def scene() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    image, patch = torch.rand(2, 3, 9, 8, generator=generator, dtype=torch.float64)
    mask = torch.zeros(1, 9, 8)
    mask[:, 2:6, 3:8] = 1  # up to the right edge of the image
    mask[:, 7, 1] = 1  # and one pixel of its own
    return image, patch, mask


def by_definition(image: np.ndarray, patch: np.ndarray, mask: np.ndarray, mixed: bool) -> np.ndarray:
    """One equation for each pixel of one plane; solved as a dense system."""
    height, width = image.shape
    count = height * width
    matrix, right = np.zeros((count, count)), np.zeros(count)
    for y, x in product(range(height), range(width)):
        row = y * width + x
        if not mask[y, x]:
            matrix[row, row], right[row] = 1, image[y, x]
            continue
        for ny, nx in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if not (0 <= ny < height and 0 <= nx < width):
                continue
            texture, present = patch[y, x] - patch[ny, nx], image[y, x] - image[ny, nx]
            matrix[row, row] += 1
            matrix[row, ny * width + nx] -= 1
            right[row] += present if mixed and abs(present) > abs(texture) else texture
    return np.linalg.solve(matrix, right).reshape(height, width)


@pytest.mark.parametrize("mixed", [False, True])
def test_the_result_solves_the_equations(mixed: bool) -> None:
    image, patch, mask = scene()
    blended = poisson_blend(image, patch, mask, mixed=mixed)
    for found, plane, texture in zip(blended.numpy(), image.numpy(), patch.numpy(), strict=True):
        assert np.abs(found - by_definition(plane, texture, mask[0].numpy(), mixed)).max() < 1e-12


def test_outside_the_mask_nothing_changes() -> None:
    image, patch, mask = scene()
    blended = poisson_blend(image.float(), patch.float(), mask)
    assert torch.equal(blended * (1 - mask), image.float() * (1 - mask))
    assert blended.dtype == torch.float32


def test_a_patch_that_differs_by_a_constant_leaves_no_trace() -> None:
    image, _, mask = scene()
    assert (poisson_blend(image, image + 0.4, mask) - image).abs().max() < 1e-12


def test_a_flat_patch_is_filled_with_the_colors_around_it() -> None:
    image, _, mask = scene()
    blended = poisson_blend(image, torch.zeros_like(image), mask)
    edge = image[:, 1:7, 2:8].flatten(1)
    inside = blended[:, 2:6, 3:8].flatten(1)
    assert (inside.amax(1) <= edge.amax(1)).all()  # a harmonic surface has its extremes at its border
    assert (inside.amin(1) >= edge.amin(1)).all()


def test_a_mixed_flat_patch_lets_the_image_shine_through() -> None:
    image, _, mask = scene()
    assert (poisson_blend(image, torch.zeros_like(image), mask, mixed=True) - image).abs().max() < 1e-12


def test_an_empty_mask_changes_nothing_and_a_full_one_is_refused() -> None:
    image, patch, mask = scene()
    assert torch.equal(poisson_blend(image, patch, torch.zeros_like(mask)), image)
    with pytest.raises(DataError, match="no seam"):
        poisson_blend(image, patch, torch.ones_like(mask))
