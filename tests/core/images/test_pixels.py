"""Rounding to 8 bits, luma, and filling unknown pixels in."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from restore.core.images.pixels import luma, pull_push, to_uint8


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_the_ends_are_black_and_white_in_every_precision(dtype: torch.dtype) -> None:
    assert to_uint8(torch.tensor([-1.0, 0.0, 1.0, 2.0], dtype=dtype)).tolist() == [0, 0, 255, 255]


def test_all_levels_survive_and_halves_round_up() -> None:
    levels = torch.arange(256)
    assert torch.equal(to_uint8(levels / 255), levels.byte())
    halves = (torch.arange(255, dtype=torch.float64) + 0.5) / 255
    assert torch.equal(to_uint8(halves + 1e-12), (torch.arange(255) + 1).byte())


def test_luma_weighs_green_most_and_keeps_gray() -> None:
    red, green, blue = (float(luma(torch.eye(3)[:, channel].view(3, 1, 1))) for channel in range(3))
    assert green > red > blue
    assert red + green + blue == pytest.approx(1)


@given(st.integers(1, 19), st.integers(1, 19), st.integers(0, 2**31), st.floats(0, 1))
def test_what_is_known_stays_and_the_rest_lies_between_its_darkest_and_brightest(
    height: int, width: int, seed: int, share: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(1, 3, height, width, generator=generator)
    mask = (torch.rand(1, 1, height, width, generator=generator) < share).float()
    spoiled = torch.where(mask > 0, torch.full_like(images, 9.0), images)
    filled = pull_push(spoiled, 1 - mask)
    known = (mask == 0).expand_as(images)
    assert torch.equal(filled[known], images[known])
    if known.any():
        for channel in range(3):
            own = images[0, channel][known[0, channel]]
            assert float(filled[0, channel].min()) >= float(own.min()) - 1e-5
            assert float(filled[0, channel].max()) <= float(own.max()) + 1e-5
    else:
        assert not filled.any()


def ramp() -> tuple[Tensor, Tensor]:
    image = torch.linspace(0, 1, 32).expand(1, 3, 32, 32)
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 12:20, 12:20] = 1
    return image, mask


def test_a_slope_goes_on_through_the_hole() -> None:
    image, mask = ramp()
    inside = mask.bool().expand_as(image)
    error = (pull_push(image, 1 - mask) - image)[inside].abs().mean()
    by_mean = (image[~inside].mean() - image[inside]).abs().mean()
    assert float(error) < 0.6 * float(by_mean)


def test_half_precision_is_left_outside() -> None:
    image, mask = ramp()
    with torch.autocast("cpu", torch.bfloat16):
        filled = pull_push(image, 1 - mask)
    assert torch.equal(filled, pull_push(image, 1 - mask))
