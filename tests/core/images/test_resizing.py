"""Results that are resized after the network, row by row."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from restore.core.images import resizing
from restore.core.images.resampling import LANCZOS, apply_taps, find_nearest, find_taps
from restore.core.images.resizing import OutputSize, RowResizer

SIDES = st.sampled_from([1, 2, 3, 7, 16, 23, 40])


def resized(image, wanted, strip, smooth=True):
    resizer = RowResizer(image.shape[-2:], wanted, smooth=smooth)
    parts = [part for top in range(0, image.shape[1], strip) for part in resizer.add(image[:, top : top + strip])]
    return torch.cat(parts, dim=1)


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from([1, 3, 100]), st.booleans())
def test_strips_equal_the_whole(height, width, new_height, new_width, strip, smooth):
    image = torch.rand(2, height, width, generator=torch.Generator().manual_seed(height * 100 + width))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resizing, "_AT_ONCE", 64)
        found = resized(image, (new_height, new_width), strip, smooth)
    taps = [
        find_taps(own, new, new / own, LANCZOS) if smooth else find_nearest(own, new)
        for own, new in ((height, new_height), (width, new_width))
    ]
    whole = apply_taps(apply_taps(image.double(), -1, taps[1]), -2, taps[0]).float()
    assert torch.equal(found, whole)


def test_inside_the_image_it_is_the_lanczos_of_pillow():
    levels = np.random.default_rng(0).random((60, 80), np.float32)
    pillow = np.asarray(Image.fromarray(levels).resize((53, 45), Image.Resampling.LANCZOS))
    found = resized(torch.from_numpy(levels)[None], (45, 53), 7)[0].numpy()
    assert np.abs(found - pillow)[4:-4, 4:-4].max() < 1e-5  # at the edge Pillow cuts the kernel off


def test_masks_get_no_values_in_between():
    mask = (torch.rand(1, 30, 30, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    assert set(resized(mask, (45, 17), 4, smooth=False).unique().tolist()) == {0.0, 1.0}


def test_memory_holds_the_rows_of_the_kernel_only():
    resizer = RowResizer((4000, 64), (1000, 16))
    kept = []
    for _ in range(400):
        list(resizer.add(torch.rand(3, 10, 64)))
        kept.append(resizer._kept.shape[1])
    assert max(kept) <= 4 * 6 + 10


@pytest.mark.parametrize(
    ("size", "image", "wanted"),
    [
        (OutputSize(), (20, 28), (20, 28)),
        (OutputSize(scale=3.0), (20, 28), (15, 21)),
        (OutputSize(scale=1.1), (20, 28), (6, 8)),
        (OutputSize(scale=2.0), (40, 28), (20, 14)),  # a sheet of two results
        (OutputSize(fit=(10, 10)), (20, 28), (7, 10)),
        (OutputSize(fit=(200, 140)), (20, 28), (100, 140)),
        (OutputSize(fit=(1, 1)), (20, 2800), (1, 1)),
    ],
)
def test_sizes_follow_the_input_or_the_box(size, image, wanted):
    assert size.of(image, (5, 7), 4.0) == wanted


def test_a_scale_that_is_no_integer_is_rounded_up_once():
    assert OutputSize(scale=3.0).of((8, 11), (5, 7), 1.5) == (15, 21)
