"""A smooth continuation into holes, without learning."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from restore.plugins.common.inpainting.prefill import fill_smoothly


def ramp() -> tuple[Tensor, Tensor]:
    image = torch.linspace(0, 1, 32).expand(1, 3, 32, 32)
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 12:20, 12:20] = 1
    return image, mask


def test_a_slope_goes_on_through_the_hole() -> None:
    image, mask = ramp()
    inside = mask.bool().expand_as(image)
    error = (fill_smoothly(image, mask) - image)[inside].abs().mean()
    by_mean = (image[~inside].mean() - image[inside]).abs().mean()
    assert float(error) < 0.2 * float(by_mean)


def test_half_precision_is_left_outside() -> None:
    image, mask = ramp()
    with torch.autocast("cpu", torch.bfloat16):
        filled = fill_smoothly(image, mask)
    assert torch.equal(filled, fill_smoothly(image, mask))


def textured() -> tuple[Tensor, Tensor]:
    """Waves of about ten pixels, and a hole that is a few pixels thin."""
    rows, columns = torch.meshgrid(torch.arange(48.0), torch.arange(40.0), indexing="ij")
    image = torch.stack([(rows / 3).sin(), (columns / 2).cos(), ((rows + columns) / 4).sin()])[None]
    mask = torch.zeros(1, 1, 48, 40)
    mask[..., 10:13, 5:35], mask[..., 4:44, 20:22] = 1, 1
    return image / 2 + 0.5, mask


@settings(deadline=None)
@given(st.integers(1, 19), st.integers(1, 19), st.integers(0, 2**31), st.floats(0, 0.9))
def test_what_is_known_stays_bit_for_bit(height: int, width: int, seed: int, coverage: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(2, 3, height, width, generator=generator)
    mask = (torch.rand(2, 1, height, width, generator=generator) < coverage).float()
    filled = fill_smoothly(torch.where(mask > 0, torch.full_like(images, 9.0), images), mask)
    known = (mask == 0).expand_as(images)
    assert torch.equal(filled[known], images[known])
    assert filled.isfinite().all()


def test_a_thin_hole_is_filled_better_than_by_averages() -> None:
    image, mask = textured()
    inside = mask.bool().expand_as(image)
    bent, averaged = ((fill_smoothly(image, mask, steps) - image)[inside].abs().mean() for steps in (24, 0))
    assert float(bent) < 0.5 * float(averaged)


def test_what_else_is_in_the_batch_changes_nothing() -> None:
    image, mask = textured()
    other = torch.rand_like(image)
    together = fill_smoothly(torch.cat([image, other]), torch.cat([mask, 1 - mask]))
    assert torch.allclose(together[:1], fill_smoothly(image, mask), atol=1e-6)
