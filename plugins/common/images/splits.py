"""The images of a split, for tasks and datasets that make everything else from them."""

from __future__ import annotations

from pathlib import Path

from restore.core.settings import RunSettings
from restore.plugins.common.images.folders import AnySplit, ImageFolder, Split, files_of, split_arguments
from restore.plugins.common.images.samples import photographs
from restore.plugins.common.images.sources import ImageSource


def images_of(split: AnySplit, folder: Path | None, val_fraction: float, seed: int) -> ImageSource:
    """Return the images of a split of a folder, or without a folder scikit-image's photographs.

    It is the dataset ``common/images``; the contract of the role ``images`` explains the arguments. Raises as
    `files_of` and `ImageFolder`.
    """
    files = files_of(split, folder, val_fraction, seed)
    if files is None:
        return photographs("train" if split == "train" else "validation")
    return ImageFolder(files)


def split_images(split: Split, settings: RunSettings) -> ImageSource:
    """Return the images that a run trains or validates on: those of folders if the settings name any, else samples.

    Validation images are those of ``settings.val_data``, or a part of ``settings.data`` that the seed holds out.
    Raises as `images_of`.
    """
    return images_of(**split_arguments(settings, split))
