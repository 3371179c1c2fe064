"""Resize an image whose rows arrive strip by strip, in memory for as many rows as the kernel covers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from restore.core.images.resampling import LANCZOS, Taps, apply_taps, find_nearest, find_taps

Size = tuple[int, int]
"""Height and width."""

_AT_ONCE = 2**18  # pixels


@dataclass(frozen=True)
class OutputSize:
    """Which size results get after the network: a multiple of the input's, or what fits into a box."""

    scale: float | None = None
    """Pixels of the result per pixel of the input, along each axis."""
    fit: Size | None = None
    """The largest height and width; the aspect ratio stays."""

    def of(self, image: Size, source: Size, scale: float) -> Size:
        """Return the size of a resized image.

        Args:
            image: size of the image before.
            source: size of the input.
            scale: size of the main output relative to the input. Images of another size change by the same factor.
        """
        if self.fit is not None:
            factor = min(most / own for most, own in zip(self.fit, image, strict=True))
            height, width = (min(most, round(own * factor)) for most, own in zip(self.fit, image, strict=True))
        elif self.scale is None:
            return image
        elif image == _times(source, scale):
            height, width = _times(source, self.scale)
        else:
            height, width = (round(own * self.scale / scale) for own in image)
        return max(1, height), max(1, width)


def _times(size: Size, scale: float) -> Size:
    """Return a size times a scale, rounded up as results of networks are."""
    height, width = (math.ceil(length * scale - 1e-9 * length) for length in size)
    return height, width


class RowResizer:
    """Resizes an image (C, H, W) whose rows arrive in order.

    Args:
        size: height and width of the image.
        wanted: those of the result.
        smooth: whether values may be mixed (Lanczos, stretched where the result is smaller); otherwise the nearest
            pixel is repeated.
    """

    def __init__(self, size: Size, wanted: Size, *, smooth: bool = True) -> None:
        self._down, self._across = (
            find_taps(own, new, new / own, LANCZOS) if smooth else find_nearest(own, new)
            for own, new in zip(size, wanted, strict=True)
        )
        self._wanted = wanted
        self._needed = self._down.indices.amax(1)  # the last source row that each row of the result needs
        self._first = self._down.indices.amin(1)
        self._kept = torch.empty(0)
        self._kept_from = self._known = self._done = 0

    def add(self, rows: Tensor) -> Iterator[Tensor]:
        """Take the next rows (C, h, W); yield the rows (C, k, W') of the result that are complete, a few at once."""
        step = max(1, _AT_ONCE // max(self._wanted[1], rows.shape[2]))
        for start in range(0, rows.shape[1], step):
            narrow = apply_taps(rows[:, start : start + step].double(), -1, self._across)
            self._kept = torch.cat([self._kept, narrow], dim=1) if self._kept.numel() else narrow
            self._known += narrow.shape[1]
            yield from self._finish(step)

    def _finish(self, step: int) -> Iterator[Tensor]:
        ready = int(torch.searchsorted(self._needed, self._known))
        while self._done < ready:
            stop = min(self._done + step, ready)
            taps = Taps(self._down.indices[self._done : stop] - self._kept_from, self._down.weights[self._done : stop])
            yield apply_taps(self._kept, -2, taps).float()
            self._done = stop
        if self._done < len(self._first):
            first = min(int(self._first[self._done]), self._known)
            self._kept = self._kept[:, first - self._kept_from :].clone()
            self._kept_from = first
