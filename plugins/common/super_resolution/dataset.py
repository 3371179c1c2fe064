"""Datasets of low- and high-resolution images.

Without low-resolution images, they are made from the high-resolution ones with MATLAB's bicubic, as 8-bit images, like
the standard benchmarks, or with a `Degradation`. A training image is cropped *before* it is made small, so that both
images show exactly the same region.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from restore.core.errors import DataError, UsageError
from restore.core.images.damaged import drop_damaged
from restore.core.images.listing import list_images
from restore.core.images.resampling import scale_length
from restore.core.settings import RunSettings
from restore.plugins.common.degradation.compression import LARGEST_BLOCK
from restore.plugins.common.degradation.pipeline import Degradation
from restore.plugins.common.images.folders import (
    AnySplit,
    ImageFolder,
    Split,
    files_of,
    list_paths,
    split_arguments,
    split_files,
)
from restore.plugins.common.images.pairing import pair_files, pair_folders
from restore.plugins.common.images.resize import imresize
from restore.plugins.common.images.samples import photographs
from restore.plugins.common.images.sources import ImageSource, refuse_smaller
from restore.plugins.common.images.splits import images_of


class CroppedPairs:
    """Random crops for training: ``input`` (3, crop / scale, crop / scale) and ``target`` (3, crop, crop) in [0, 1].

    Crops, flips and rotations by right angles are drawn from torch's global generator.
    """

    def __init__(
        self,
        targets: ImageSource,
        scale: int,
        crop: int,
        inputs: ImageSource | None = None,
        *,
        augment: bool = True,
        degradation: Degradation | None = None,
    ) -> None:
        """Crop ``crop`` pixels from ``targets``, and the same regions from ``inputs`` if there are any.

        Raises UsageError if the crop is not a multiple of the scale, if ``inputs`` have another scale, or if there are
        both inputs and a degradation that makes them, and DataError for images that are smaller than the crop or do not
        fit their partner.
        """
        _refuse_both(targets, inputs, degradation)
        if crop % scale:
            raise UsageError(f"--crop-size {crop} is not a multiple of the scale ({scale})")
        if inputs is not None:
            common_scale(inputs, targets, scale)
        refuse_smaller(targets, crop, "a training crop", "remove them, or lower --crop-size")
        self._targets, self._inputs = targets, inputs
        self._scale, self._crop, self._augment, self._degradation = scale, crop, augment, degradation
        self.in_memory = targets.in_memory and (inputs is None or inputs.in_memory)
        if degradation is not None and not degradation.cheap:
            self.in_memory = False  # its samples are worth worker processes

    def __len__(self) -> int:
        return len(self._targets)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        target = self._targets[index]
        if self._inputs is None:
            small, target = self._shrink(target)
        else:
            small = self._inputs[index]
            top, left = _corner(small, self._crop // self._scale)
            small, target = self._turn(*self._cut_pair(small, target, top, left))
        return {"input": small.float() / 255, "target": target.float() / 255}

    def name(self, index: int) -> str:
        """Return the image's file name."""
        return Path(self._targets.name(index)).name

    def _shrink(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return the input and the target of a random crop.

        What a degradation compresses is larger than the crop where the image is, so that blocks begin anywhere in the
        input, as in the middle of a whole image. If they always began at the edge of the input, a network would learn
        to count from there, and fail far from an edge.
        """
        compressed = self._degradation is not None and self._degradation.compresses
        margin = min(LARGEST_BLOCK - 1, (min(image.shape[-2:]) - self._crop) // self._scale) if compressed else 0
        side = self._crop + margin * self._scale
        region = self._turn(_cut(image, *_corner(image, side), side))[0]
        if self._degradation is None:
            return imresize(region, 1 / self._scale), region
        small, region = self._degradation(region), self._degradation.sharpen_target(region)
        if not margin:
            return small, region
        top, left = _corner(small, self._crop // self._scale)
        return self._cut_pair(small, region, top, left)

    def _cut_pair(self, small: Tensor, target: Tensor, top: int, left: int) -> tuple[Tensor, Tensor]:
        """Return the crop of an input and of its target; ``top`` and ``left`` count pixels of the input."""
        return (
            _cut(small, top, left, self._crop // self._scale),
            _cut(target, top * self._scale, left * self._scale, self._crop),
        )

    def _turn(self, *images: Tensor) -> Sequence[Tensor]:
        """Flip and rotate all images equally, by one of the eight symmetries of a square."""
        if not self._augment:
            return images
        flip, turns = divmod(int(torch.randint(8, ())), 4)
        flipped = [image.flip(-1) if flip else image for image in images]
        return [image.rot90(turns, (-2, -1)) for image in flipped]


class WholePairs:
    """Whole images for evaluation: ``input`` (3, h, w) and ``target`` (3, H, W) in [0, 1].

    The target of a gray image has one channel, (1, H, W), so that metrics use it as its own luma. A degradation is
    drawn once for each image, by its name: it is the same at every evaluation, whatever the seed of a run.
    """

    def __init__(
        self,
        targets: ImageSource,
        scale: float,
        inputs: ImageSource | None = None,
        *,
        degradation: Degradation | None = None,
    ) -> None:
        """Pair ``targets`` with ``inputs``, or with downscaled images made from them.

        To be downscaled, targets lose the last rows and columns that ``scale`` does not divide. Raises what
        `CroppedPairs` raises.
        """
        _refuse_both(targets, inputs, degradation)
        if inputs is not None:
            common_scale(inputs, targets, scale)
        refuse_smaller(targets, math.ceil(scale), f"scale {scale:g}", "remove them")
        self.scale = scale
        self._targets, self._inputs, self._degradation = targets, inputs, degradation
        self.in_memory = targets.in_memory and (inputs is None or inputs.in_memory)

    def __len__(self) -> int:
        return len(self._targets)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        target = self._targets[index]
        if self._inputs is None:
            height, width = (fitting_length(length, self.scale) for length in target.shape[-2:])
            target = target[:, :height, :width]
            if self._degradation is None:
                small = imresize(target, 1 / self.scale)
            else:
                small = self._degradation.repeatable(target, self.name(index))
        else:
            small = self._inputs[index]
        if self._targets.gray(index):
            target = target[:1]
        return {"input": small.float() / 255, "target": target.float() / 255}

    def name(self, index: int) -> str:
        """Return the image's file name."""
        return Path(self._targets.name(index)).name


def super_resolution_images(
    split: Split, settings: RunSettings, *, scale: int, crop: int, augment: bool = True
) -> CroppedPairs | WholePairs:
    """Crops to train on or whole images to validate on, from wherever the settings of a run say.

    ``settings.data`` is a folder of images, or of ``LR/`` and ``HR/`` (``inputs/`` and ``targets/``) paired by name;
    without it, the photographs of scikit-image. Validation is on ``settings.val_data``, or on a share of the training
    images held out by the seed.
    """
    targets, inputs = pair_sources(**split_arguments(settings, split))
    if split == "train":
        return CroppedPairs(targets, scale, crop, inputs, augment=augment)
    return WholePairs(targets, scale, inputs)


def super_resolution_pairs(
    split: AnySplit,
    folder: Path | None,
    val_fraction: float,
    seed: int,
    crop_size: int,
    scale: int,
    degradation: Degradation | None = None,
) -> CroppedPairs | WholePairs:
    """Return the dataset ``common/super-resolution``; the contract of its role explains the arguments.

    ``folder`` is one of images, or of ``LR/`` and ``HR/`` (``inputs/`` and ``targets/``) paired by name; without it,
    there are the photographs of scikit-image. ``degradation`` makes the inputs of images that have none.
    """
    targets, inputs = pair_sources(split, folder, val_fraction, seed)
    return make_pairs(split, targets, scale, crop_size, inputs, degradation)


def make_pairs(
    split: AnySplit,
    targets: ImageSource,
    scale: float,
    crop_size: int,
    inputs: ImageSource | None = None,
    degradation: Degradation | None = None,
) -> CroppedPairs | WholePairs:
    """Return crops for training, or whole images; arguments and errors as those of `CroppedPairs`."""
    if split == "train":
        return CroppedPairs(targets, int(scale), crop_size, inputs, degradation=degradation)
    return WholePairs(targets, scale, inputs, degradation=degradation)


def evaluation_pairs(
    folder: Path | None, scale: float | None, degrade: Callable[[float], Degradation | None] = lambda _: None
) -> WholePairs:
    """Return the images of a folder, or the validation photographs of scikit-image, for evaluation.

    Without ``scale`` it is read from the pairs. ``degrade`` makes the degradation of a scale. Raises UsageError if
    there are no pairs to read the scale from, and if there are pairs as well as a degradation.
    """
    targets: ImageSource = photographs("validation")
    inputs: ImageSource | None = None
    if folder is not None:
        targets, inputs = _folder_sources(drop_damaged(_file_pairs(folder), list_paths))
    if inputs is not None:
        scale = common_scale(inputs, targets, scale)
    if scale is None:
        raise UsageError(
            f"{folder or 'the sample photographs'}: the scale is unknown without input images; set --scale"
        )
    return WholePairs(targets, scale, inputs, degradation=degrade(scale))


def common_scale(inputs: ImageSource, targets: ImageSource, wanted: float | None = None) -> float:
    """Return how many times larger each target is than its input; it must be ``wanted`` if that is given.

    A fractional scale cannot be read from sizes, which are rounded, and must be given. Raises UsageError if the pairs
    have another scale than ``wanted`` or the targets are smaller than the inputs, and DataError for a pair that does
    not fit.
    """
    sizes = [(inputs.size(index), targets.size(index)) for index in range(len(targets))]
    if sizes and all(large[axis] < small[axis] for small, large in sizes for axis in (0, 1)):
        raise UsageError(
            f"{Path(targets.name(0)).parent}: the targets are smaller than the inputs in "
            f"{Path(inputs.name(0)).parent}; are the two folders swapped?"
        )
    ratios = {large[axis] / small[axis] for small, large in sizes for axis in (0, 1)}
    found = ratios.pop() if len(ratios) == 1 else None
    if found is not None and wanted is not None and found != wanted and found.is_integer():
        raise UsageError(f"{Path(targets.name(0)).parent}: the pairs have scale {found:g}, not {wanted:g}")
    if wanted is None:
        first = sizes[0][1][0] / sizes[0][0][0]
        wanted = found or float(max(1, round(first)))
    for index, (small, large) in enumerate(sizes):
        if large != tuple(scale_length(length, wanted) for length in small):
            raise DataError(
                f"{targets.name(index)}: {large[1]}x{large[0]} pixels is not {wanted:g} times {small[1]}x{small[0]}, "
                f"the size of {inputs.name(index)}"
            )
    return wanted


def fitting_length(length: int, scale: float) -> int:
    """Return the longest side up to ``length`` that downscaling and upscaling restores.

    >>> fitting_length(511, 4), fitting_length(256, 2.5)
    (508, 255)
    """
    while length > 1 and scale_length(scale_length(length, 1 / scale), scale) != length:
        length -= 1
    return length


def split_pairs(split: Split, settings: RunSettings) -> list[FilePair] | None:
    """Return the files that a run trains or validates on, or None if it uses the sample; files are not read.

    Raises UsageError for folders that do not exist or contain no images, and for incomplete pairs.
    """
    return split_files(settings, split, _file_pairs)


FilePair = tuple[Path, Path | None]
"""A target, and its input if the folder has pairs."""


def pair_sources(
    split: AnySplit, folder: Path | None, val_fraction: float, seed: int
) -> tuple[ImageSource, ImageSource | None]:
    """Return the targets of a split, and their inputs if the folder has pairs; arguments and errors of `images_of`."""
    files = files_of(split, folder, val_fraction, seed, _file_pairs)
    if files is None:
        return images_of(split, folder, val_fraction, seed), None
    return _folder_sources(files)


def _file_pairs(folder: Path) -> list[FilePair]:
    pair = pair_folders(folder)
    if pair is None:
        return [(target, None) for target in list_images(folder)]
    return [(target, small) for small, target in pair_files(*pair, scaled=True)]


def _folder_sources(files: Sequence[FilePair]) -> tuple[ImageSource, ImageSource | None]:
    inputs = [small for _, small in files if small is not None]
    return ImageFolder([target for target, _ in files]), ImageFolder(inputs) if inputs else None


def _refuse_both(targets: ImageSource, inputs: ImageSource | None, degradation: Degradation | None) -> None:
    if inputs is not None and degradation is not None:
        folder = Path(targets.name(0)).parent
        raise UsageError(
            f"{folder.parent} has pairs, whose inputs are used as they are; leave out the settings of degradation, or "
            f"use the targets alone: {folder}"
        )


def _corner(image: Tensor, side: int) -> tuple[int, int]:
    """Return top and left of a random square of ``side`` pixels inside the image."""
    height, width = image.shape[-2:]
    return int(torch.randint(height - side + 1, ())), int(torch.randint(width - side + 1, ()))


def _cut(image: Tensor, top: int, left: int, side: int) -> Tensor:
    return image[:, top : top + side, left : left + side]
