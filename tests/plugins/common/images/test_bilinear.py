"""Smooth resizing: Pillow's, for images of 8 bits and for planes of floating point."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from restore.plugins.common.images.resize import bilinear


@pytest.mark.parametrize("size", [(5, 31), (24, 9), (40, 55), (1, 1)])
def test_it_is_pillows_bilinear(size: tuple[int, int]) -> None:
    planes = torch.rand(3, 17, 23, generator=torch.Generator().manual_seed(0))
    height, width = size
    theirs = [Image.fromarray(plane.numpy()).resize((width, height), Image.Resampling.BILINEAR) for plane in planes]
    expected = torch.stack([torch.from_numpy(np.array(plane)) for plane in theirs])
    torch.testing.assert_close(bilinear(planes, size), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(bilinear(planes[None], size), expected[None], rtol=0, atol=1e-5)


def test_eight_bits_are_rounded_to_the_nearest_level() -> None:
    levels = torch.randint(256, (3, 17, 23), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    smaller = bilinear(levels, (6, 7))
    assert smaller.dtype == torch.uint8
    assert torch.equal(smaller, bilinear(levels.float(), (6, 7)).round().byte())


def test_what_has_the_size_is_returned_as_it_is() -> None:
    planes = torch.rand(2, 3, 4, 5)
    assert bilinear(planes, (4, 5)) is planes
