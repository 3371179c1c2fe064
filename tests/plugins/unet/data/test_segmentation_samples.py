"""Samples: resized or cropped, varied together with their masks, normalized once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.filters import threshold_otsu
from torch import Tensor
from torchvision import tv_tensors

from restore.plugins.unet.data import nuclei
from restore.plugins.unet.data.augmentation import make_augmentation
from restore.plugins.unet.data.dataset import Drawings, Segments, crop_masked, resize_masked
from restore.plugins.unet.inference import normalize
from restore.plugins.unet.settings import AugmentationSettings, ModelSettings

MODEL = ModelSettings(classes=["nucleus"], fit="crop")
STILL = AugmentationSettings(turns=False, flips=False, color=0)


def marked(height: int = 24, width: int = 24) -> tuple[Tensor, Tensor]:
    """An image whose first channel is white exactly where its mask is set."""
    masks = (torch.rand(1, height, width, generator=torch.Generator().manual_seed(0)) > 0.5).byte()
    return torch.cat([255 * masks, torch.zeros(2, height, width, dtype=torch.uint8)]), masks


@pytest.mark.parametrize("size", [(24, 24), (24, 20)])
def test_turns_and_flips_move_image_and_mask_together(size: tuple[int, int]) -> None:
    image, masks = marked(*size)
    vary = make_augmentation(STILL.model_copy(update={"turns": True, "flips": True}), channels=3)
    seen = set()
    for seed in range(40):
        torch.manual_seed(seed)
        shown, mask = vary(tv_tensors.Image(image), tv_tensors.Mask(masks))
        assert mask.shape == masks.shape
        assert torch.equal(shown[0] == 255, mask[0] == 1)
        seen.add(mask.numpy().tobytes())
    assert len(seen) == (8 if size[0] == size[1] else 4)


def test_elastic_deformation_moves_image_and_mask_together() -> None:
    masks = torch.zeros(1, 64, 64, dtype=torch.uint8)
    masks[:, 20:44, 24:40] = 1
    image = (255 * masks).expand(3, -1, -1).contiguous()
    vary = make_augmentation(STILL.model_copy(update={"elastic": 1.0, "elastic_strength": 60.0}), channels=3)
    torch.manual_seed(0)
    shown, mask = vary(tv_tensors.Image(image), tv_tensors.Mask(masks))
    assert set(mask.unique().tolist()) == {0, 1}
    assert not torch.equal(mask, masks)
    both, either = ((shown[0] > 127) & (mask[0] == 1)).sum(), ((shown[0] > 127) | (mask[0] == 1)).sum()
    assert both / either > 0.97


def test_colors_change_and_masks_do_not() -> None:
    image, masks = nuclei.draw(0, 1).image, torch.ones(1, 96, 96, dtype=torch.uint8)
    vary = make_augmentation(STILL.model_copy(update={"color": 1.0}), channels=3)
    torch.manual_seed(1)
    shown, mask = vary(tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1)), tv_tensors.Mask(masks))
    assert not torch.equal(shown, torch.from_numpy(image).permute(2, 0, 1))
    assert torch.equal(mask, masks)


def test_nothing_asked_for_changes_nothing() -> None:
    image, masks = marked()
    shown, mask = make_augmentation(STILL, channels=3)(tv_tensors.Image(image), tv_tensors.Mask(masks))
    assert torch.equal(shown, image)
    assert torch.equal(mask, masks)


def test_a_sample_is_a_function_of_torchs_rng() -> None:
    images = Segments(Drawings(range(2), MODEL), MODEL, make_augmentation(AugmentationSettings(elastic=0.5), 3))
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        drawn.append(images[1])
    assert torch.equal(drawn[0]["input"], drawn[1]["input"])
    assert not torch.equal(drawn[0]["input"], drawn[2]["input"])


def test_samples_are_plain_tensors_in_their_ranges() -> None:
    images = Segments(Drawings(range(1), MODEL), MODEL)
    sample = images[0]
    assert type(sample["input"]) is type(sample["target"]) is Tensor
    assert sample["input"].shape == (3, 96, 96)
    assert 0 <= sample["input"].min() < sample["input"].max() <= 1
    assert sample["target"].unique().tolist() == [0, 1]
    assert images.in_memory
    assert images.name(0) == "nuclei-000"


def test_images_are_normalized_exactly_once() -> None:
    # A second division by 255 would leave values within 0.02 of zero.
    spread = normalize(torch.rand(1, 3, 64, 64), MODEL)
    assert spread.std() > 0.5
    gray = torch.full((1, 3, 4, 4), 0.5)
    expected = (0.5 - 0.485) / 0.229
    assert normalize(gray, MODEL)[0, 0, 0, 0] == pytest.approx(expected, rel=1e-5)


def test_masks_stay_binary_when_resized_and_numbers_stay_numbers() -> None:
    image, masks = marked(40, 40)
    _, smaller = resize_masked(image, masks, (17, 23), multiclass=False)
    assert smaller.shape == (1, 17, 23)
    assert set(smaller.unique().tolist()) == {0, 1}
    numbers = torch.zeros(1, 40, 40, dtype=torch.uint8)
    numbers[:, 20:] = 7
    _, fewer = resize_masked(image, numbers, (17, 23), multiclass=True)
    assert set(fewer.unique().tolist()) == {0, 7}


def test_crops_are_of_the_same_place_and_small_images_are_continued() -> None:
    image, masks = marked(30, 20)
    torch.manual_seed(0)
    part, mask = crop_masked(image, masks, (16, 24), at_random=True)
    assert part.shape == (3, 16, 24)
    assert torch.equal(part[0] == 255, mask[0] == 1)
    center, _ = crop_masked(image, masks, (16, 16), at_random=False)
    assert torch.equal(center, image[:, 7:23, 2:18])


def test_drawings_are_reproducible_and_differ() -> None:
    first, again, other = nuclei.draw(5, 3), nuclei.draw(5, 3), nuclei.draw(5, 6)
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.mask, again.mask)
    assert not np.array_equal(first.mask, other.mask)
    assert {nuclei.draw(5, index).stain for index in range(3)} == set(nuclei.STAINS)


def test_a_threshold_does_badly_on_the_drawings() -> None:
    both = either = 0
    for index in range(12):
        scene = nuclei.draw(2018, index)
        gray = scene.image.mean(2)
        level = threshold_otsu(gray)
        # Even where somebody says for every image whether nuclei are the bright or the dark side.
        sides = [((side & scene.mask).sum(), (side | scene.mask).sum()) for side in (gray > level, gray <= level)]
        best = max(sides, key=lambda pair: pair[0] / pair[1])
        both, either = both + best[0], either + best[1]
    assert both / either < 0.7
