"""Luma and chroma against the values that the standard prescribes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from restore.core.images.pixels import luma
from restore.plugins.common.images.color import rgb2ycbcr, studio_luma

# ITU-R BT.601, 8 bits: the color bars' corners.
BARS = {
    (0, 0, 0): (16, 128, 128),
    (255, 255, 255): (235, 128, 128),
    (255, 0, 0): (81, 90, 240),
    (0, 255, 0): (145, 54, 34),
    (0, 0, 255): (41, 240, 110),
    (255, 255, 0): (210, 16, 146),
    (0, 255, 255): (170, 166, 16),
    (255, 0, 255): (106, 202, 222),
}


def pixels(colors: list[tuple[int, ...]]) -> Tensor:
    """Colors as one row of an image (3, 1, N), uint8."""
    return torch.tensor(colors, dtype=torch.uint8).T[:, None, :]


def test_8_bit_color_bars() -> None:
    assert torch.equal(rgb2ycbcr(pixels(list(BARS))), pixels(list(BARS.values())))


def test_floating_point_values_are_the_same_but_not_rounded() -> None:
    image = torch.randint(0, 256, (2, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    exact = rgb2ycbcr(image.double() / 255) * 255
    assert torch.equal((exact + 0.5).floor().byte(), rgb2ycbcr(image))
    assert (exact - exact.round()).abs().max() > 0.4


def test_luma_is_the_first_channel() -> None:
    image = torch.rand(3, 5, 4, dtype=torch.float64)
    assert torch.equal(studio_luma(image), rgb2ycbcr(image)[:1])


def test_luma_of_gray_is_that_gray() -> None:
    gray = torch.rand(2, 1, 6, 6, dtype=torch.float64)
    assert torch.allclose(luma(gray.expand(-1, 3, -1, -1)), gray, atol=1e-15)


def test_luma_is_luma_stretched() -> None:
    image = torch.rand(3, 6, 6, dtype=torch.float64)
    assert torch.allclose(16 + 219 * luma(image), 255 * studio_luma(image), atol=1e-12)


@pytest.mark.parametrize("function", [rgb2ycbcr, studio_luma, luma])
def test_an_image_without_three_channels_is_refused(function: object) -> None:
    assert callable(function)
    with pytest.raises(ValueError, match="3, H, W"):
        function(torch.zeros(1, 4, 4))
