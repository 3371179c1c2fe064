"""Images with masks, for training and evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from restore.core.dataset import ImageDataset
from restore.core.errors import DataError, UsageError
from restore.core.images.damaged import drop_damaged
from restore.core.images.files import image_size
from restore.core.images.listing import list_images
from restore.core.settings import RunSettings
from restore.plugins.common.images.augment import augment_crop
from restore.plugins.common.images.augment_settings import CropAugmentation
from restore.plugins.common.images.folders import ImageFolder, Split, list_paths, split_files
from restore.plugins.common.images.samples import photographs
from restore.plugins.common.images.sources import ImageSource, refuse_smaller
from restore.plugins.common.images.turns import turn_between, warn_of_turns
from restore.plugins.common.masks.folders import MaskFolder, warn_if_odd
from restore.plugins.common.masks.generators import draw_mask
from restore.plugins.common.masks.reading import folder_white, masks_of, read_mask
from restore.plugins.common.masks.settings import KINDS, MaskSettings

UNKNOWN_KIND = -1
"""``kind`` of a mask that was not drawn at random."""


def make_sample(target: Tensor, mask: Tensor, kind: int = UNKNOWN_KIND) -> dict[str, Tensor]:
    """Return a sample: ``target``, ``mask``, ``input`` (the target, black inside the hole) and ``kind``.

    Args:
        target: image (3, H, W) in [0, 1].
        mask: mask (1, H, W), 1 inside the hole.
        kind: index of the kind of mask in `masks.settings.KINDS`, or -1.
    """
    return {"input": target * (1 - mask), "mask": mask, "target": target, "kind": torch.tensor(kind)}


class InpaintingCrops:
    """Random crops with random masks for training: samples of `make_sample` with ``crop`` x ``crop`` pixels.

    Crops, augmentation and masks are drawn from torch's global generator.
    """

    def __init__(self, targets: ImageSource, masks: MaskSettings, crop: int, augment: CropAugmentation) -> None:
        """Crop ``targets``. Raises DataError for images smaller than the crop, and what `MaskFolder` raises."""
        refuse_smaller(targets, crop, "a training crop", "remove them, or lower --crop-size")
        self._targets, self._settings, self._crop, self._augment = targets, masks, crop, augment
        self._folder = None if masks.folder is None else MaskFolder(masks.folder, masks.polarity)
        self.in_memory = targets.in_memory

    def __len__(self) -> int:
        return len(self._targets)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        target = augment_crop(self._targets[index], self._crop, self._augment)
        return make_sample(target, *self._hole())

    def name(self, index: int) -> str:
        """Return the image's file name."""
        return Path(self._targets.name(index)).name

    def _hole(self) -> tuple[Tensor, int]:
        side = self._crop
        if self._folder is not None:
            mask = self._folder.read_resized(int(torch.randint(len(self._folder), ())), side, side)
            return (mask.flip(-1) if self._augment.flip and torch.randint(2, ()) else mask), UNKNOWN_KIND
        kind = self._settings.kinds[int(torch.randint(len(self._settings.kinds), ()))]
        low, high = self._settings.coverage
        coverage = low + (high - low) * float(torch.rand((), dtype=torch.float64))
        return draw_mask(kind, side, side, coverage), KINDS.index(kind)


class InpaintingSquares:
    """The center square of each image with a fixed mask, for evaluation.

    Drawn masks go through all kinds and the range of coverages, with the index as seed; masks of a folder are used in
    order. If there are few images, each appears with several masks, so that every kind appears.
    """

    def __init__(self, targets: ImageSource, masks: MaskSettings, window: int) -> None:
        """Crop squares of ``window`` pixels, or smaller ones of smaller images.

        Raises DataError for images of one row or column, and what `MaskFolder` raises.
        """
        refuse_smaller(targets, 2, "a hole with known surroundings", "remove them")
        self._targets, self._settings, self._window = targets, masks, window
        self._folder = None if masks.folder is None else MaskFolder(masks.folder, masks.polarity)
        wanted = max(_SEVERAL, 2 * len(masks.kinds)) if self._folder is None else min(len(self._folder), _SEVERAL)
        self._rounds = -(-wanted // max(1, len(targets)))
        self.in_memory = targets.in_memory

    def __len__(self) -> int:
        return len(self._targets) * self._rounds

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        target = self._targets[index % len(self._targets)]
        height, width = target.shape[-2:]
        side = min(height, width, self._window)
        top, left = (height - side) // 2, (width - side) // 2
        target = target[:, top : top + side, left : left + side].float() / 255
        if self._folder is not None:
            return make_sample(target, self._folder.read_resized(self._mask(index), side, side))
        place, generator = self._kind(index), torch.Generator().manual_seed(index)
        kind = self._settings.kinds[place]
        return make_sample(target, draw_mask(kind, side, side, self._coverage(index), generator), KINDS.index(kind))

    def name(self, index: int) -> str:
        """Return the image's file name, and its mask if there are several."""
        name = Path(self._targets.name(index % len(self._targets))).name
        if self._rounds == 1:
            return name
        if self._folder is not None:
            return f"{name}, {self._folder.files[self._mask(index)].name}"
        return f"{name}, {self._settings.kinds[self._kind(index)]} {100 * self._coverage(index):.0f} %"

    def _mask(self, index: int) -> int:
        """Return the index of a mask in the folder; if there are more masks than samples, they are spread over it."""
        assert self._folder is not None
        masks = len(self._folder)
        return index * masks // len(self) if len(self) < masks else index % masks

    def _kind(self, index: int) -> int:
        round_, image = divmod(index, len(self._targets))
        return (round_ + image) % len(self._settings.kinds)

    def _coverage(self, index: int) -> float:
        """Return coverages that fill the range evenly for any number of samples: near multiples of the golden ratio."""
        low, high = self._settings.coverage
        return low + (high - low) * (2 * (index * 89 % 144) + 1) / 288


_SEVERAL = 12
"""Least number of masks that are used if there are few images, and the folder of masks has as many."""


def inpainting_images(
    split: Split,
    settings: RunSettings,
    masks: MaskSettings,
    crop: int,
    *,
    window: int = 256,
    augment: CropAugmentation | None = None,
) -> ImageDataset:
    """Return random crops with random masks for training, or fixed squares with fixed masks for validation.

    ``settings.data`` is a folder of images, or one with ``images/`` and ``masks/``: any of its masks is used with any
    image unless ``masks`` names others. Without it, the photographs of scikit-image are used. Validation uses
    ``settings.val_data``, with its own masks if it has any, or the part of the training images held out by the seed.
    Samples are those of `make_sample`.

    Raises UsageError if there are masks beside the images and ``masks`` says how to draw others.

    Args:
        split: training or validation.
        settings: settings of the run.
        masks: settings of the masks.
        crop: side of the training crops in pixels.
        window: side of the validation squares in pixels.
        augment: augmentation of training crops; None flips them only.
    """
    targets, masks = _targets(split, settings), _masks(split, settings, masks)
    if split == "train":
        return InpaintingCrops(targets, masks, crop, augment or CropAugmentation())
    return InpaintingSquares(targets, masks, window)


def _targets(split: Split, settings: RunSettings) -> ImageSource:
    files = split_files(settings, split, lambda folder: list_images(_of_images(folder)))
    return photographs(split) if files is None else ImageFolder(files)


def _masks(split: Split, settings: RunSettings, masks: MaskSettings) -> MaskSettings:
    """Return the mask settings, with the folder of the masks beside the images unless another is set."""
    if masks.folder is not None:
        return masks
    if split == "validation" and settings.val_data is not None and (settings.val_data / "masks").is_dir():
        return masks.model_copy(update={"folder": settings.val_data / "masks"})
    beside = None if settings.data is None else settings.data / "masks"
    if beside is None or not beside.is_dir():
        return masks
    _refuse_others(masks, beside, "kinds", "coverage")
    return masks.model_copy(update={"folder": beside})


def _refuse_others(masks: MaskSettings, beside: Path, *names: str) -> None:
    usual = MaskSettings()
    asked = [name for name in names if getattr(masks, name) != getattr(usual, name)]
    if masks.folder is not None and masks.folder.resolve() == beside.resolve():
        asked = [name for name in asked if name != "folder"]
    if asked:
        flags = " and ".join("--masks" if name == "folder" else f"--masks.{name}" for name in asked)
        raise UsageError(
            f"{flags} conflicts with the masks in {beside}, which belong to the images; leave out {flags}, or set "
            "--data to the folder of the images"
        )


def _of_images(folder: Path) -> Path:
    return folder / "images" if (folder / "images").is_dir() else folder


class InpaintingPairs:
    """Images of any size with masks of their own: samples of `make_sample`."""

    def __init__(self, targets: ImageSource, mask: Callable[[int], Tensor]) -> None:
        """Pair images with the masks that ``mask`` returns for their indices."""
        self._targets, self._mask = targets, mask
        self.in_memory = targets.in_memory

    def __len__(self) -> int:
        return len(self._targets)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return make_sample(self._targets[index].float() / 255, self._mask(index))

    def name(self, index: int) -> str:
        """Return the image's file name."""
        return Path(self._targets.name(index)).name


MEASURED = 256
"""Largest side in pixels of the squares that are evaluated if images come without masks."""


def evaluation_images(folder: Path | None, masks: MaskSettings | None = None) -> ImageDataset:
    """Return images with masks for an evaluation.

    Images in ``images/`` with masks of the same name in ``masks/`` are used as they are. Of a folder of images, and of
    the sample photographs, the center squares are used with the masks that ``masks`` describes.

    Raises UsageError if the folder has only one of the two or no images, or if it has both and ``masks`` asks for other
    masks, and DataError for a mask of another size than its image.
    """
    masks = masks or MaskSettings()
    if folder is None:
        return InpaintingSquares(photographs("validation"), masks, MEASURED)
    images, drawn = folder / "images", folder / "masks"
    if images.is_dir() != drawn.is_dir():
        raise UsageError(f"{folder}: expected images/ and masks/, paired by name, or only image files")
    if not images.is_dir():
        usable = drop_damaged(list_images(folder), list_paths)
        return InpaintingSquares(ImageFolder(usable), masks, MEASURED)
    _refuse_others(masks, drawn, "folder", "kinds", "coverage")
    every = list_images(images)
    pairs = drop_damaged(list(zip(every, masks_of(every, drawn), strict=True)), list_paths)
    shown, files = [image for image, _ in pairs], [mask for _, mask in pairs]
    targets = ImageFolder(shown)
    _check_sizes(targets, files)
    white = folder_white(files)
    warn_if_odd(drawn, tuple(files), masks.polarity)
    warn_of_turns(folder, [image for image, mask in zip(shown, files, strict=True) if turn_between(image, mask)])
    return InpaintingPairs(targets, lambda index: read_mask(files[index], masks.polarity, white))


def _check_sizes(targets: ImageFolder, masks: Sequence[Path]) -> None:
    for index, mask in enumerate(masks):
        height, width = targets.size(index)
        rows, columns = image_size(mask)
        if (rows, columns) != (height, width):
            turned = turn_between(targets.files[index], mask)
            raise DataError(
                f"{mask}: the mask has {columns}x{rows} pixels, but {targets.name(index)} {width}x{height}{turned}"
            )
