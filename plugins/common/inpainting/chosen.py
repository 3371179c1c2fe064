"""Images with masks from a dataset that is chosen by name."""

from __future__ import annotations

from pathlib import Path

from restore.core.dataset import ImageDataset, as_dataset
from restore.core.settings import RunSettings
from restore.plugins.common.datasets import build_dataset, evaluation_arguments
from restore.plugins.common.images.augment_settings import CropAugmentation
from restore.plugins.common.images.folders import Split, split_arguments
from restore.plugins.common.images.sources import as_source
from restore.plugins.common.inpainting.dataset import (
    MEASURED,
    InpaintingCrops,
    InpaintingSquares,
    evaluation_images,
    inpainting_images,
)
from restore.plugins.common.masks.settings import SAMPLE, InpaintingData, MaskSettings


def training_images(
    split: Split,
    settings: RunSettings,
    chosen: InpaintingData,
    masks: MaskSettings,
    crop_size: int,
    augment: CropAugmentation,
) -> ImageDataset:
    """Return what a run trains or validates on: images with the family's masks, or with masks of the dataset.

    Args:
        split: training or validation.
        settings: settings of the run: folders, the fraction for validation and the seed.
        chosen: the dataset.
        masks: the masks of images that have none.
        crop_size: side of the training crops and of the validation squares in pixels.
        augment: augmentation of training crops, unless the dataset has masks of its own.

    Raises:
        UnfitForRole: the dataset does not hold what its role promises.
        RestoreError: as `inpainting_images`.
    """
    if chosen.full_name == SAMPLE:
        return inpainting_images(split, settings, masks, crop_size, window=crop_size, augment=augment)
    given = split_arguments(settings, split)
    if chosen.role == "inpainting":
        return as_dataset(build_dataset(chosen, {**given, "crop_size": crop_size}))
    source = as_source(build_dataset(chosen, given))
    if split == "train":
        return InpaintingCrops(source, masks, crop_size, augment)
    return InpaintingSquares(source, masks, crop_size)


def open_evaluation_images(folder: Path | None, chosen: InpaintingData, masks: MaskSettings) -> ImageDataset:
    """Return the images to measure on. Raises as `training_images` and `evaluation_images`."""
    if chosen.full_name == SAMPLE:
        return evaluation_images(folder, masks)
    given = evaluation_arguments(folder)
    if chosen.role == "inpainting":
        return as_dataset(build_dataset(chosen, {**given, "crop_size": MEASURED}))
    return InpaintingSquares(as_source(build_dataset(chosen, given)), masks, MEASURED)
