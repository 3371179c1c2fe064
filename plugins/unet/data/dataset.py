"""Images with masks, from folders or synthetic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.errors import DataError
from restore.core.images.files import ImageFile, read_image
from restore.core.images.pixels import luma, to_uint8
from restore.plugins.common.images.resize import bilinear
from restore.plugins.common.images.turns import turn_between
from restore.plugins.common.masks.survey import IGNORED
from restore.plugins.common.masks.values import is_foreground, read_values
from restore.plugins.unet.data import discovery, nuclei
from restore.plugins.unet.settings import ModelSettings

if TYPE_CHECKING:
    from torchvision.transforms import v2

KEPT_BYTES = 2**30
"""Images stay in memory if they take fewer bytes than this."""

SAMPLE_SEED = 2018
"""Seed of the synthetic nuclei, the same for every run: they are a dataset, not random numbers of the run."""

TRAIN_DRAWINGS, VALIDATION_DRAWINGS = 240, 48


class Source(Protocol):
    """Images and masks in their original size."""

    @property
    def names(self) -> Sequence[str]:
        """Names of the images."""
        ...

    def read(self, index: int) -> tuple[Tensor, Tensor]:
        """Return an image (C, H, W) uint8 and its masks uint8: (classes, H, W) of 0 and 1, or class numbers (1, H,
        W)."""
        ...


@dataclass(frozen=True)
class Drawings:
    """Synthetic nuclei as a source."""

    numbers: range
    model: ModelSettings

    @property
    def names(self) -> Sequence[str]:
        """Such as ``nuclei-007``."""
        return [f"nuclei-{number:03}" for number in self.numbers]

    def read(self, index: int) -> tuple[Tensor, Tensor]:
        """Draw an image and its mask."""
        scene = nuclei.draw(SAMPLE_SEED, self.numbers[index])
        color = torch.from_numpy(scene.image).permute(2, 0, 1).float() / 255
        return to_uint8(channels_of(ImageFile(color), self.model.input_channels)), torch.from_numpy(scene.mask)[
            None
        ].byte()


@dataclass(frozen=True)
class Files:
    """Files of a folder as a source."""

    cases: Sequence[discovery.Case]
    model: ModelSettings
    white: int | None = None
    """Value of white in binary masks; None: decided by each file."""

    @property
    def names(self) -> Sequence[str]:
        """Names of the images without suffixes."""
        return [case.name for case in self.cases]

    def read(self, index: int) -> tuple[Tensor, Tensor]:
        """Read an image and its masks. Raises DataError if their sizes differ."""
        case = self.cases[index]
        image = to_uint8(channels_of(read_image(case.image), self.model.input_channels))
        masks = self.masks(index)
        if image.shape[-2:] != masks.shape[-2:]:
            (height, width), (mask_height, mask_width) = image.shape[-2:], masks.shape[-2:]
            raise DataError(
                f"{case.image} has {width}x{height} pixels, but its mask {case.masks[0][0]} has "
                f"{mask_width}x{mask_height}{turn_between(case.image, case.masks[0][0])}"
            )
        return image, masks

    def masks(self, index: int) -> Tensor:
        """Read the masks of an image."""
        case = self.cases[index]
        if self.model.multiclass:
            return _class_numbers(case.masks[0][0], len(self.model.classes or []), self.model.mask_levels)
        planes = [_union(files, self.white) for files in case.masks]
        return torch.stack(planes)

    def part(self, indices: Iterable[int]) -> Files:
        """Return a source with some of the images."""
        return Files([self.cases[index] for index in indices], self.model, self.white)

    def foreground(self) -> list[float]:
        """Return the fraction of foreground pixels of each image; class number 0 is the background."""
        shares = []
        for index in range(len(self.cases)):
            masks = self.masks(index)
            shares.append(float(((masks > 0) & (masks != IGNORED)).any(0).float().mean()))
        return shares


def _union(files: Sequence[Path], white: int | None) -> Tensor:
    union: np.ndarray | None = None
    for path in files:
        found = is_foreground(read_values(path, tones=True), white)
        if union is not None and union.shape != found.shape:
            raise DataError(
                f"{path} has {found.shape[1]}x{found.shape[0]} pixels, unlike other masks of the same image"
            )
        union = found if union is None else union | found
    assert union is not None
    return torch.from_numpy(union.astype(np.uint8))


def _class_numbers(path: Path, classes: int, levels: Sequence[int] | None = None) -> Tensor:
    """Read class numbers (1, H, W) uint8; ``levels`` are the gray values that stand for them."""
    values = read_values(path)
    if levels is not None:
        numbers = np.searchsorted(levels, values).clip(max=len(levels) - 1)
        if (wrong := values[np.asarray(levels)[numbers] != values]).size:
            known = ", ".join(map(str, levels))
            raise DataError(f"{path} holds the value {wrong[0]}, but the classes have the values {known}")
        return torch.from_numpy(numbers.astype(np.uint8))[None]
    known = values[values != IGNORED]
    if known.size and int(known.max()) >= classes:
        raise DataError(
            f"{path} holds class number {known.max()}, but there are {classes} classes (0 to {classes - 1})"
        )
    return torch.from_numpy(values.astype(np.uint8))[None]


def channels_of(image: ImageFile, channels: int) -> Tensor:
    """Return the input (channels, H, W) in [0, 1] of a network: gray, RGB, or RGB and alpha."""
    if channels == 1:
        return luma(image.color)
    if channels == 3:
        return image.color
    if channels == 4:
        opacity = torch.ones_like(image.color[:1]) if image.alpha is None else image.alpha
        return torch.cat([image.color, opacity])
    raise DataError(f"input_channels={channels} is not supported; use 1, 3 or 4")


@dataclass
class Segments:
    """The samples of one split: ``input`` (C, H, W) in [0, 1] and ``target``.

    The target is float32 (classes, H, W) of 0 and 1, or int64 class numbers (1, H, W) for exclusive classes.
    """

    source: Source
    model: ModelSettings
    augment: v2.Transform | None = None
    """Augmentation of training images; None for validation, which uses center crops."""
    _kept: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.source.names)

    def name(self, index: int) -> str:
        """Return the name of the image."""
        return self.source.names[index]

    @cached_property
    def in_memory(self) -> bool:
        """Whether images stay in memory once they are read."""
        if self.model.size is None or (self.model.fit == "crop" and isinstance(self.source, Files)):
            pixels = self._read(0)[0][0].numel()
        else:
            pixels = self.model.size[0] * self.model.size[1]
        planes = self.model.input_channels + len(self.model.classes or [""])
        return len(self) * pixels * planes < KEPT_BYTES

    def _read(self, index: int) -> tuple[Tensor, Tensor]:
        image, masks = self.source.read(index)
        if self.model.fit == "resize" and self.model.size is not None:
            return resize_masked(image, masks, self.model.size, self.model.multiclass)
        return image, masks

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        image, masks = self._kept.get(index) or self._read(index)
        if self.in_memory and index not in self._kept:
            self._kept[index] = (image, masks)
        if self.model.size is not None:
            image, masks = crop_masked(image, masks, self.model.size, at_random=self.augment is not None)
        if self.augment is not None:
            from torchvision import tv_tensors  # slow to import, and only training needs it

            image, masks = self.augment(tv_tensors.Image(image), tv_tensors.Mask(masks))
        target = masks.long() if self.model.multiclass else masks.float()
        # plain tensors, because every operation on subclasses is slower
        return {"input": image.as_subclass(Tensor).float() / 255, "target": target.as_subclass(Tensor)}


def resize_masked(image: Tensor, masks: Tensor, size: tuple[int, int], multiclass: bool) -> tuple[Tensor, Tensor]:
    """Resize an image and its masks, uint8: the image smoothly, binary masks by majority, class numbers by nearest
    pixel."""
    if image.shape[-2:] == size:
        return image, masks
    smaller = bilinear(image, size)
    if multiclass:
        return smaller, F.interpolate(masks[None], size=size, mode="nearest-exact")[0]
    return smaller, (bilinear(masks.float(), size) >= 0.5).to(masks.dtype)


def crop_masked(image: Tensor, masks: Tensor, size: tuple[int, int], at_random: bool) -> tuple[Tensor, Tensor]:
    """Crop an image and its masks equally; smaller images are padded by repeating their edges."""
    height, width = size
    if image.shape[-2] < height or image.shape[-1] < width:
        rows, columns = (
            torch.arange(max(wanted, there)).clamp(max=there - 1)
            for wanted, there in zip(size, image.shape[-2:], strict=True)
        )
        image, masks = (planes[..., rows[:, None], columns] for planes in (image, masks))
    spare = (image.shape[-2] - height, image.shape[-1] - width)
    if spare == (0, 0):
        return image, masks
    top, left = (int(torch.randint(rest + 1, ())) if at_random else rest // 2 for rest in spare)
    return image[..., top : top + height, left : left + width], masks[..., top : top + height, left : left + width]
