"""Inpaint images that are larger than the window of a network.

A group of holes is cropped with its context. If the crop fits into the window, it is inpainted there. Otherwise the
image is halved until it fits, and each larger scale starts from the result of the smaller one: the hole is inpainted
again in parts, those next to the known region first, each from its surroundings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from restore.plugins.common.inpainting.regions import Box, Hole, find_groups
from restore.plugins.common.masks.reading import dilate

Fill = Callable[[Tensor, Tensor], Tensor]
"""Inpaints an image (1, 3, H, W), black inside the hole of a mask (1, 1, H, W), and returns the whole image."""


@dataclass(frozen=True)
class GroupAnswer:
    """What a network answers for a group of holes, in the part of the image that it has seen."""

    seen: Box
    image: Tensor
    """The part of the image, (3, h, w)."""
    values: Tensor
    """The answer, (3, h, w)."""
    mask: Tensor
    """The holes of the group, (1, h, w)."""
    wanted: Tensor
    """Where the answer is used, (1, h, w) bool."""


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
        result = image.clone()

        def read(box: Box) -> tuple[Tensor, Tensor]:
            return image[box.place], mask[box.place]

        hole = (mask[0] > 0.5).cpu().numpy()
        for box, own in self.groups(hole):
            answer = self.answer(box, own, (hole.shape[0], hole.shape[1]), read)
            place = answer.seen.place
            result[place] = torch.where(answer.wanted, answer.values, result[place])
        return result

    def groups(self, hole: Hole) -> list[tuple[Box, Hole]]:
        """Return the groups of holes that are inpainted together; see `find_groups`."""
        return find_groups(hole, self.context // 2)

    def answer(
        self, box: Box, own: Hole, size: tuple[int, int], read: Callable[[Box], tuple[Tensor, Tensor]]
    ) -> GroupAnswer:
        """Return what the network answers for one group of holes.

        Args:
            box: box of the group.
            own: its holes inside the box.
            size: height and width of the image.
            read: returns a part of the image (3, h, w) and of the mask (1, h, w) of all holes.
        """
        seen = box.widen(self.context, *size)
        if seen.largest_side <= self.window:
            seen = seen.at_least(self.window, *size)
        image, mask = read(seen)
        chosen = torch.zeros_like(mask)
        chosen[box.relative_to(seen).place] = torch.from_numpy(own)[None].to(mask)
        return GroupAnswer(seen, image, self._fill_scaled(image, mask), chosen, self._mark_used(chosen, mask))

    def _mark_used(self, chosen: Tensor, mask: Tensor) -> Tensor:
        """Return where the answer for the chosen holes is used: inside them, and in the known region within reach."""
        return (dilate(chosen, self.reach) > 0.5) & ((chosen > 0.5) | (mask <= 0.5))

    def _fill_scaled(self, image: Tensor, mask: Tensor) -> Tensor:
        """Return the answer for a part (3, h, w) of any size."""
        height, width = image.shape[-2:]
        if max(height, width) <= self.window:
            return self.fill((image * (1 - mask))[None], mask[None])[0].to(image.dtype)
        small, small_mask = halve(image, mask)
        if small_mask.any():
            small = torch.where(small_mask > 0.5, self._fill_scaled(small, small_mask), small)
        start = F.interpolate(small[None], size=(height, width), mode="bilinear", align_corners=False)[0]
        return self._refine(torch.where(mask > 0.5, start, image), mask)

    def _refine(self, image: Tensor, mask: Tensor) -> Tensor:
        """Return the answer for an image with a coarse answer in its holes: inpainted again in parts, each with its
        context."""
        answer, (height, width) = image.clone(), image.shape[-2:]
        for part in self._list_inwards(mask):
            seen = part.widen(self.context, height, width).at_least(self.window, height, width)
            chosen = torch.zeros_like(mask[seen.place])
            chosen[part.relative_to(seen).place] = mask[part.place]
            made = self.fill((image[seen.place] * (1 - chosen))[None], chosen[None])[0].to(image.dtype)
            image[seen.place] = torch.where(chosen > 0.5, made, image[seen.place])
            answer[seen.place] = torch.where(self._mark_used(chosen, mask[seen.place]), made, answer[seen.place])
        return answer

    def _list_inwards(self, mask: Tensor) -> Iterator[Box]:
        """Yield the parts that contain hole pixels, those with the fewest hole pixels around them first."""
        side = max(1, self.window - 2 * min(self.context, self.window // 4))
        height, width = mask.shape[-2:]
        parts = [
            Box(top, min(height, top + side), left, min(width, left + side))
            for top in range(0, height, side)
            for left in range(0, width, side)
        ]
        holes = {part: float(mask[part.widen(self.context, height, width).place].mean()) for part in parts}
        yield from sorted((part for part in parts if mask[part.place].any()), key=lambda part: holes[part])


def halve(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Halve an image (3, H, W) and a mask (1, H, W), rounded up.

    A pixel is the mean of the known ones of four, and hole only if all are: narrow holes vanish.
    """
    known = 1 - mask
    weight = F.avg_pool2d(known[None], 2, ceil_mode=True)[0]
    small = F.avg_pool2d((image * known)[None], 2, ceil_mode=True)[0] / weight.clamp_min(1e-8)
    return small, (weight == 0).to(mask.dtype)
