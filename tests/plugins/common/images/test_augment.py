"""Training crops that are turned, scaled, mirrored and recolored."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor

from restore.plugins.common.images.augment import augment_crop
from restore.plugins.common.images.augment_settings import CropAugmentation

STILL = CropAugmentation(flip=False)


def ramp(height: int = 80, width: int = 100) -> Tensor:
    """Red says the row, green the column, blue is the same everywhere: every place is known by its color."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([rows, columns, torch.full_like(rows, 90)]).byte()


def seeded(chosen: CropAugmentation, side: int = 24, seed: int = 0, image: Tensor | None = None) -> Tensor:
    torch.manual_seed(seed)
    return augment_crop(ramp() if image is None else image, side, chosen)


def test_without_variation_a_crop_is_a_part_of_the_image() -> None:
    for seed in range(5):
        levels = (seeded(STILL, seed=seed) * 255).round()
        top, left = int(levels[0, 0, 0]), int(levels[1, 0, 0])
        assert torch.equal(levels, ramp()[:, top : top + 24, left : left + 24].float())


@given(
    rotate=st.sampled_from([0.0, 20.0, 180.0]),
    low=st.floats(0.3, 2),
    ratio=st.floats(1, 3),
    jitter=st.sampled_from([0.0, 0.4]),
    height=st.integers(24, 80),
    width=st.integers(24, 80),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_whatever_is_drawn_a_crop_has_its_size_and_nothing_made_up(
    rotate: float, low: float, ratio: float, jitter: float, height: int, width: int, seed: int
) -> None:
    chosen = CropAugmentation(rotate=rotate, zoom=(low, low * ratio), jitter=jitter)
    crop = seeded(chosen, seed=seed, image=torch.full((3, height, width), 200, dtype=torch.uint8))
    assert crop.shape == (3, 24, 24)
    assert crop.min() > 0.2  # a corner from beyond the image would be black
    assert crop.max() <= 1
    assert float(crop.std()) < 1e-5


def test_a_larger_zoom_factor_shows_more_and_a_smaller_one_less() -> None:
    for factor in (0.5, 2.0):
        crop = seeded(CropAugmentation(flip=False, zoom=(factor, factor))) * 255
        shown = float(crop[1, 12, -1] - crop[1, 12, 0])
        assert shown == pytest.approx(24 * factor - factor, abs=0.6)


def test_a_turn_turns() -> None:
    angles = []
    for seed in range(20):
        crop = seeded(CropAugmentation(flip=False, rotate=45), seed=seed) * 255
        down, right = crop[0, 14, 12] - crop[0, 10, 12], crop[0, 12, 14] - crop[0, 12, 10]
        angles.append(float(torch.rad2deg(torch.atan2(right, down))))
    assert min(angles) < -15
    assert max(angles) > 15
    assert max(map(abs, angles)) < 50


def test_half_of_the_crops_are_mirrored() -> None:
    right = [bool((crop := seeded(CropAugmentation(), seed=seed))[1, 0, -1] > crop[1, 0, 0]) for seed in range(60)]
    assert 15 < sum(right) < 45


def test_a_seed_decides_a_crop_and_jitter_changes_its_colors() -> None:
    chosen = CropAugmentation(rotate=30, zoom=(0.5, 2), jitter=0.3)
    assert torch.equal(seeded(chosen, seed=3), seeded(chosen, seed=3))
    blues = {round(float(seeded(CropAugmentation(jitter=0.3), seed=seed)[2].mean()), 3) for seed in range(5)}
    assert len(blues) == 5


def test_factors_that_fall_are_refused() -> None:
    with pytest.raises(ValidationError, match="above the largest"):
        CropAugmentation(zoom=(2, 1))
