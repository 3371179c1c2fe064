"""The datasets of the family: images that are degraded on the way, and pairs of folders."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from restore.core.errors import UsageError
from restore.core.images.pixels import to_uint8
from restore.core.seeding import derive_seed, seeded
from restore.plugins.common.degradation.compression import compress
from restore.plugins.common.degradation.pipeline import Degradation
from restore.plugins.common.degradation.settings import DegradationSettings
from restore.plugins.common.images.folders import AnySplit
from restore.plugins.common.images.pairing import pair_folders
from restore.plugins.common.images.sources import ImageSource
from restore.plugins.common.images.splits import images_of
from restore.plugins.common.super_resolution.dataset import CroppedPairs, WholePairs, make_pairs, super_resolution_pairs


class DegradedImages:
    """Samples ``{"input": degraded, "target": clean}``, (3, H, W) float32 in about [0, 1].

    For training they are random crops, flipped and turned at random, with random degradations, all drawn from torch's
    global generator. Otherwise they are whole images, and each index has its own fixed degradation, whatever the seed
    of the run: numbers of different runs can be compared.

    Args:
        source: the clean images.
        noise: standard deviation of Gaussian noise, of 255. Without JPEG, noisy values are neither rounded nor
            limited to [0, 1], as in the papers on denoising.
        jpeg: smallest and largest JPEG quality; None: no JPEG.
        crop_size: side of the training crops in pixels; None: whole images with fixed degradations.

    Raises DataError if an image is smaller than a crop.
    """

    def __init__(
        self, source: ImageSource, noise: float, jpeg: tuple[int, int] | None = None, crop_size: int | None = None
    ) -> None:
        # pairs of an image with itself: both are cropped and turned alike
        self._clean = WholePairs(source, 1, source) if crop_size is None else CroppedPairs(source, 1, crop_size, source)
        self._noise, self._jpeg, self._fixed = noise / 255, jpeg, crop_size is None
        self.in_memory = source.in_memory

    def __len__(self) -> int:
        return len(self._clean)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        clean = self._clean[index]
        if not self._fixed:
            return {**clean, "input": self._degrade(clean["input"])}
        with seeded(derive_seed("restorer/noisy", index)):
            return {**clean, "input": self._degrade(clean["input"])}

    def name(self, index: int) -> str:
        """Return the image's file name."""
        return self._clean.name(index)

    def _degrade(self, image: Tensor) -> Tensor:
        if self._noise:
            image = image + self._noise * torch.randn_like(image)
        if self._jpeg is not None:
            low, high = self._jpeg
            image = compress(to_uint8(image), int(torch.randint(low, high + 1, ()))).float() / 255
        return image


def noisy_images(
    split: AnySplit,
    folder: Path | None,
    val_fraction: float,
    seed: int,
    crop_size: int,
    *,
    noise: float,
    jpeg: tuple[int, int] | None,
) -> DegradedImages:
    """Return the dataset ``restorer/noisy`` of a split; the contract of its role explains the other arguments.

    Args:
        split: which images.
        folder: their folder; None: scikit-image's photographs.
        val_fraction: fraction of the folder that is held out for validation.
        seed: seed of that choice.
        crop_size: side of the training crops in pixels.
        noise: standard deviation of the noise, of 255.
        jpeg: smallest and largest JPEG quality; None: no JPEG.
    """
    _refuse_pairs(folder)
    source = images_of(split, folder, val_fraction, seed)
    return DegradedImages(source, noise, jpeg, crop_size if split == "train" else None)


def build_degraded(
    split: AnySplit,
    folder: Path | None,
    val_fraction: float,
    seed: int,
    crop_size: int,
    *,
    degradation: DegradationSettings,
) -> CroppedPairs | WholePairs:
    """Return the dataset ``restorer/degraded`` of a split; the contract of its role explains the other arguments.

    Each whole image has its own fixed degradation, whatever the seed of the run.

    Args:
        split: which images.
        folder: their folder; None: scikit-image's photographs.
        val_fraction: fraction of the folder that is held out for validation.
        seed: seed of that choice.
        crop_size: side of the training crops in pixels.
        degradation: how inputs are made of clean images.
    """
    _refuse_pairs(folder)
    source = images_of(split, folder, val_fraction, seed)
    return make_pairs(split, source, 1, crop_size, degradation=Degradation(degradation))


def build_pairs(
    split: AnySplit, folder: Path | None, val_fraction: float, seed: int, crop_size: int
) -> CroppedPairs | WholePairs:
    """Return the dataset ``restorer/pairs`` of a split; the contract of its role explains the arguments.

    Raises UsageError if there is no folder, or none of the layout ``inputs/`` and ``targets/``.
    """
    if folder is None or pair_folders(folder) is None:
        where = "--data is not set" if folder is None else f"{folder} has no such folders"
        raise UsageError(f"restorer/pairs needs --data with inputs/ and targets/, paired by name; {where}")
    return super_resolution_pairs(split, folder, val_fraction, seed, crop_size, scale=1)


def _refuse_pairs(folder: Path | None) -> None:
    if folder is not None and pair_folders(folder) is not None:
        raise UsageError(f"{folder} has pairs of images; train on them with --dataset restorer/pairs")
