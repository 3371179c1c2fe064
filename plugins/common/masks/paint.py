"""Holes that were painted with a color, in images that were compressed since.

Masks are those of `reading`: (1, H, W), one is the hole.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from restore.plugins.common.masks.reading import dilate

Color = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""


def find_color(image: Tensor, color: Color, tolerance: int) -> Tensor:
    """Return the mask (1, H, W) of the pixels of (3, H, W) in [0, 1] whose channels are within ``tolerance``/255 of a
    color."""
    wanted = torch.tensor(color, dtype=image.dtype)[:, None, None]
    return ((image * 255 - wanted).abs() <= tolerance + 0.5).all(0, keepdim=True).float()


def find_painted(image: Tensor, color: Color, tolerance: int) -> Tensor:
    """Return the mask (1, H, W) of what was painted with a color, with its soiled rim.

    Resizing and JPEG mix the paint with its surroundings. Pixels of nearly the color are found as in `find_color`; they
    are the seed from which pixels of a mixture are reached, up to the size of a JPEG block away.
    """
    seed = find_color(image, color, tolerance)
    if not tolerance or not bool(seed.any()):
        return seed
    loose = find_color(image, color, min(_LOOSE * tolerance, _MOST_LOOSE))
    found = seed
    for _ in range(RIM):
        found = torch.maximum(found, dilate(found, 1) * loose)
    return found


_LOOSE, _MOST_LOOSE = 3, 110
"""How much larger the tolerance is at the rim of what was painted, and its limit."""
_TINTED = 2
"""How much larger it is when pixels are looked for that were not found."""
RIM = 8
"""Width in pixels of the rim: that of a JPEG block."""


def count_left_at_rim(image: Tensor, mask: Tensor, rows: slice, color: Color, tolerance: int) -> int:
    """Return how many pixels in a band of two around a mask still have a mixture of the color.

    Args:
        image: (3, h, W) in [0, 1].
        mask: (1, H, W), of more rows than the image.
        rows: the rows of the image in the mask.
        color: the paint, 0 to 255.
        tolerance: that with which the mask was found.
    """
    tinted = find_color(image, color, min(_TINTED * tolerance, _MOST_LOOSE))
    band = (dilate(mask, 2) - mask)[:, rows]
    return int((band * tinted).sum())


NEAR, FAR = (1, 6), (18, 26)
"""Distances in pixels from a hole between which noise is measured, next to it and where compression has not carried it.
"""
_WIDE = 8
"""Pixels: a hole that contains a square of twice this side shows the noise around it in all of its fill."""


@dataclass
class PaintNoise:
    """How much the color of the paint wavers next to a hole and away from it.

    JPEG stores blocks of 8 or 16 pixels. In those that the paint touches, the other pixels waver around their colors,
    along the color of the paint; a fill that goes on with the slopes at the rim of a wide hole makes large colors of
    it. The measure is the mean absolute difference to the mean of the four neighbors.
    """

    color: Color
    near: float = 0.0
    far: float = 0.0
    near_pixels: float = 0.0
    far_pixels: float = 0.0
    wide: bool = False
    """Whether a part of the hole is wide."""

    def add(self, image: Tensor, mask: Tensor, rows: slice) -> None:
        """Take rows of an image.

        Args:
            image: (3, h, W) in [0, 1], with up to `FAR` further rows above and below.
            mask: (1, h, W).
            rows: the rows that count.
        """
        if not bool(mask.any()):
            return
        paint = torch.tensor(self.color, dtype=image.dtype) / 255
        axis = paint - paint.mean() if len(set(self.color)) > 1 else torch.ones(3)  # a gray paint differs in brightness
        tint = 255 * (image * (axis / axis.norm())[:, None, None]).sum(0, keepdim=True)
        cross = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])[None, None] / 4
        wavering = F.conv2d(F.pad(tint[None], (1, 1, 1, 1), mode="replicate"), cross)[0].abs()
        near, far = ((dilate(mask, last) - dilate(mask, first))[:, rows] for first, last in (NEAR, FAR))
        self.near += float((wavering[:, rows] * near).sum())
        self.far += float((wavering[:, rows] * far).sum())
        self.near_pixels += float(near.sum())
        self.far_pixels += float(far.sum())
        self.wide = self.wide or not bool(dilate(1 - mask, _WIDE)[:, rows].all())

    @property
    def shows(self) -> bool:
        """Whether a fill of the hole would show it."""
        if not self.wide or not self.near_pixels or not self.far_pixels:
            return False
        return self.near / self.near_pixels > 1.3 * self.far / self.far_pixels + 0.2
