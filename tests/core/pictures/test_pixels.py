"""Rounding to 8 bits and luma."""

from __future__ import annotations

import pytest
import torch

from restore.core.pictures.pixels import luma, to_uint8


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
