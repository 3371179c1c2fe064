"""Inpaint images that are larger than the window of a network.

A group of holes is cropped with its context. If the crop fits into the window, it is inpainted there. Otherwise the
image is halved until it fits, and each larger scale starts from the result of the smaller one: the hole is inpainted
again in parts, those next to the known region first, each from its surroundings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from restore.plugins.common.masks.reading import dilate


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels; ``bottom`` and ``right`` are exclusive."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def place(self) -> tuple[slice, slice, slice]:
        """Index of the rectangle in an image (C, H, W)."""
        return slice(None), slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def largest_side(self) -> int:
        """Length of the longer side in pixels."""
        return max(self.bottom - self.top, self.right - self.left)

    def wider(self, pixels: int, height: int, width: int) -> Box:
        """Return the box with ``pixels`` more on each side, inside an image of ``height`` x ``width``."""
        return Box(
            max(0, self.top - pixels),
            min(height, self.bottom + pixels),
            max(0, self.left - pixels),
            min(width, self.right + pixels),
        )

    def within(self, outer: Box) -> Box:
        """Return the same box relative to the corner of a box around it."""
        return Box(self.top - outer.top, self.bottom - outer.top, self.left - outer.left, self.right - outer.left)

    def at_least(self, side: int, height: int, width: int) -> Box:
        """Return a box of at least ``side`` pixels each way around the same center, moved into the image or limited to
        it."""
        top, bottom = _widened(self.top, self.bottom, side, height)
        left, right = _widened(self.left, self.right, side, width)
        return Box(top, bottom, left, right)


def _widened(first: int, last: int, side: int, length: int) -> tuple[int, int]:
    missing = max(0, side - (last - first))
    first = min(max(0, first - missing // 2), max(0, length - max(side, last - first)))
    return first, min(length, max(last, first + side))


def mask_regions(mask: Tensor, gap: int) -> Iterator[tuple[Box, Tensor]]:
    """Yield the groups of holes of a mask (1, H, W) that are connected or at most ``2 * gap`` pixels apart.

    Each comes as its box and a mask (1, h, w) of the box that contains only the holes of the group.
    """
    hole = mask.cpu() > 0.5
    joined = dilate(hole.float(), gap)[0].numpy() > 0
    labels: NDArray[np.int32]
    labels, _ = ndimage.label(joined, structure=np.ones((3, 3), dtype=np.int8))
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        own = hole[0, rows, columns].numpy() & (labels[rows, columns] == number)
        (across,), (down,) = np.nonzero(own.any(1)), np.nonzero(own.any(0))
        box = Box(
            rows.start + int(across[0]),
            rows.start + int(across[-1]) + 1,
            columns.start + int(down[0]),
            columns.start + int(down[-1]) + 1,
        )
        inner = own[across[0] : across[-1] + 1, down[0] : down[-1] + 1]
        yield box, torch.from_numpy(np.ascontiguousarray(inner))[None].to(mask.device, mask.dtype)


Fill = Callable[[Tensor, Tensor], Tensor]
"""Inpaints an image (1, 3, H, W), black inside the hole of a mask (1, 1, H, W), and returns the whole image."""


@dataclass(frozen=True)
class WindowedInpainting:
    """Inpaints with a network that processes windows of a limited size."""

    fill: Fill
    window: int
    """Largest side in pixels that is processed at once."""
    context: int
    """Pixels around a hole that are cropped with it."""
    reach: int = 0
    """Pixels outside the hole where the network's answer is used too."""

    def inpaint(self, image: Tensor, mask: Tensor) -> Tensor:
        """Return the image (3, H, W) with the network's answer inside the holes of a mask (1, H, W) and within reach of
        them.

        Groups of holes do not see the answers of each other, so neither their order nor their number matters.
        """
        result, (height, width) = image.clone(), image.shape[-2:]
        for box, own in mask_regions(mask, self.context // 2):
            seen = box.wider(self.context, height, width)
            if seen.largest_side <= self.window:
                seen = box.at_least(self.window, height, width)
            answer = self._scaled(image[seen.place], mask[seen.place])
            chosen = torch.zeros_like(mask[seen.place])
            chosen[box.within(seen).place] = own
            result[seen.place] = torch.where(self._wanted(chosen, mask[seen.place]), answer, result[seen.place])
        return result

    def _wanted(self, chosen: Tensor, mask: Tensor) -> Tensor:
        """Return where the answer for the chosen holes is used: inside them, and in the known region within reach."""
        return (dilate(chosen, self.reach) > 0.5) & ((chosen > 0.5) | (mask <= 0.5))

    def _scaled(self, image: Tensor, mask: Tensor) -> Tensor:
        """Return the answer for a part (3, h, w) of any size."""
        height, width = image.shape[-2:]
        if max(height, width) <= self.window:
            return self.fill((image * (1 - mask))[None], mask[None])[0].to(image.dtype)
        small, small_mask = halved(image, mask)
        if small_mask.any():
            small = torch.where(small_mask > 0.5, self._scaled(small, small_mask), small)
        start = F.interpolate(small[None], size=(height, width), mode="bilinear", align_corners=False)[0]
        return self._refined(torch.where(mask > 0.5, start, image), mask)

    def _refined(self, image: Tensor, mask: Tensor) -> Tensor:
        """Return the answer for an image with a coarse answer in its holes: inpainted again in parts, each with its
        context."""
        answer, (height, width) = image.clone(), image.shape[-2:]
        for part in self._inwards(mask):
            seen = part.wider(self.context, height, width).at_least(self.window, height, width)
            chosen = torch.zeros_like(mask[seen.place])
            chosen[part.within(seen).place] = mask[part.place]
            made = self.fill((image[seen.place] * (1 - chosen))[None], chosen[None])[0].to(image.dtype)
            image[seen.place] = torch.where(chosen > 0.5, made, image[seen.place])
            answer[seen.place] = torch.where(self._wanted(chosen, mask[seen.place]), made, answer[seen.place])
        return answer

    def _inwards(self, mask: Tensor) -> Iterator[Box]:
        """Yield the parts that contain hole pixels, those with the fewest hole pixels around them first."""
        side = max(1, self.window - 2 * min(self.context, self.window // 4))
        height, width = mask.shape[-2:]
        parts = [
            Box(top, min(height, top + side), left, min(width, left + side))
            for top in range(0, height, side)
            for left in range(0, width, side)
        ]
        holes = {part: float(mask[part.wider(self.context, height, width).place].mean()) for part in parts}
        yield from sorted((part for part in parts if mask[part.place].any()), key=lambda part: holes[part])


def halved(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Halve an image (3, H, W) and a mask (1, H, W), rounded up.

    A pixel is the mean of the known ones of four, and hole only if all are: narrow holes vanish.
    """
    known = 1 - mask
    weight = F.avg_pool2d(known[None], 2, ceil_mode=True)[0]
    small = F.avg_pool2d((image * known)[None], 2, ceil_mode=True)[0] / weight.clamp_min(1e-8)
    return small, (weight == 0).to(mask.dtype)
