"""Fill the holes of images that are larger than what a network is given at once.

A group of holes is cut out with what is around it. Where that fits into the window of the network, it is filled there;
otherwise the image is halved until it does, and each larger scale begins with the smaller one's answer: part by part,
from what is known inwards, the hole is made anew from what is around the part.
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
    """A rectangle of pixels: rows and columns from the first to before the last."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def place(self) -> tuple[slice, slice, slice]:
        """What takes the rectangle out of an image (C, H, W)."""
        return slice(None), slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def largest_side(self) -> int:
        """Pixels of the longer side."""
        return max(self.bottom - self.top, self.right - self.left)

    def wider(self, pixels: int, height: int, width: int) -> Box:
        """With so many pixels more on each side, as far as the image goes."""
        return Box(
            max(0, self.top - pixels),
            min(height, self.bottom + pixels),
            max(0, self.left - pixels),
            min(width, self.right + pixels),
        )

    def within(self, outer: Box) -> Box:
        """The same rectangle, counted from the corner of one around it."""
        return Box(self.top - outer.top, self.bottom - outer.top, self.left - outer.left, self.right - outer.left)

    def at_least(self, side: int, height: int, width: int) -> Box:
        """With ``side`` pixels each way around the same middle, moved into the image; whole where it is smaller."""
        top, bottom = _widened(self.top, self.bottom, side, height)
        left, right = _widened(self.left, self.right, side, width)
        return Box(top, bottom, left, right)


def _widened(first: int, last: int, side: int, length: int) -> tuple[int, int]:
    missing = max(0, side - (last - first))
    first = min(max(0, first - missing // 2), max(0, length - max(side, last - first)))
    return first, min(length, max(last, first + side))


def mask_regions(mask: Tensor, gap: int) -> Iterator[tuple[Box, Tensor]]:
    """Holes of a mask (1, H, W) that are connected or at most ``2 * gap`` pixels apart, each group in its box.

    Each comes with a mask (1, h, w) of its box that has only the holes of the group.
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
"""What a network makes of an image (1, 3, H, W) that is black where a mask (1, 1, H, W) is one: all of the image."""


@dataclass(frozen=True)
class WindowedInpainting:
    """How images are cut for a network."""

    fill: Fill
    window: int
    """Largest side in pixels of what is filled at once."""
    context: int
    """Pixels around a hole that are cut out with it."""
    reach: int = 0
    """Pixels beyond the hole for which the network's answer is wanted too."""

    def inpaint(self, image: Tensor, mask: Tensor) -> Tensor:
        """The network's answer (3, H, W) in the holes of a mask (1, H, W) and around them; elsewhere the image.

        Groups of holes do not see each other's answers, so that neither their order nor their number matters.
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
        """Where an answer for the chosen holes is taken: there, and beyond them in what is known."""
        return (dilate(chosen, self.reach) > 0.5) & ((chosen > 0.5) | (mask <= 0.5))

    def _scaled(self, image: Tensor, mask: Tensor) -> Tensor:
        """The answer for a part of an image (3, h, w) of any size."""
        height, width = image.shape[-2:]
        if max(height, width) <= self.window:
            return self.fill((image * (1 - mask))[None], mask[None])[0].to(image.dtype)
        small, small_mask = halved(image, mask)
        if small_mask.any():
            small = torch.where(small_mask > 0.5, self._scaled(small, small_mask), small)
        start = F.interpolate(small[None], size=(height, width), mode="bilinear", align_corners=False)[0]
        return self._refined(torch.where(mask > 0.5, start, image), mask)

    def _refined(self, image: Tensor, mask: Tensor) -> Tensor:
        """The answer for an image whose holes hold a coarse answer: made anew in parts, each seeing its neighbors."""
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
        """Parts that hold some of the hole; those with the least of it around them come first."""
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
    """Image (3, H, W) and mask (1, H, W) of half the size, rounded up.

    A pixel is the mean of what is known of four, and hole only where nothing is: thin holes vanish.
    """
    known = 1 - mask
    weight = F.avg_pool2d(known[None], 2, ceil_mode=True)[0]
    small = F.avg_pool2d((image * known)[None], 2, ceil_mode=True)[0] / weight.clamp_min(1e-8)
    return small, (weight == 0).to(mask.dtype)
