"""Pad images of any size to the square input of the networks, and crop results back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Letterbox:
    """Images of one size as squares, and the way back."""

    faces: Tensor
    """(B, 3, size, size) in [0, 1]."""
    height: int
    width: int

    @classmethod
    def of(cls, images: Tensor, size: int) -> Letterbox:
        """Pad images (B, 3, H, W) in [0, 1] to squares by repeating their edges, and resize them to ``size``."""
        height, width = images.shape[-2:]
        top, left = cls._offset(height, width)
        side = max(height, width)
        square = F.pad(images, (left, side - width - left, top, side - height - top), mode="replicate")
        return cls(resize(square, size).clamp(0, 1), height, width)

    @property
    def factor(self) -> float:
        """Pixels of the images per pixel of the faces."""
        return max(self.height, self.width) / self.faces.shape[-1]

    def back(self, planes: Tensor) -> Tensor:
        """Resize results for the faces, (B, C, size, size), and crop them to the images: (B, C, H, W)."""
        top, left = self._offset(self.height, self.width)
        whole = resize(planes, max(self.height, self.width))
        return whole[..., top : top + self.height, left : left + self.width]

    def places(self, points: Tensor) -> Tensor:
        """Convert rows and columns (B, P, 2) in pixels of the faces to pixels of the images."""
        offset = torch.tensor(self._offset(self.height, self.width), device=points.device)
        return (points + 0.5) * self.factor - 0.5 - offset

    def places_in_faces(self, points: Tensor) -> Tensor:
        """Convert rows and columns (..., 2) in pixels of the images to pixels of the faces; undoes `places`."""
        offset = torch.tensor(self._offset(self.height, self.width), device=points.device)
        return (points + offset + 0.5) / self.factor - 0.5

    @staticmethod
    def _offset(height: int, width: int) -> tuple[int, int]:
        side = max(height, width)
        return (side - height) // 2, (side - width) // 2


def resize(planes: Tensor, size: int) -> Tensor:
    """Resize (B, C, H, H) smoothly to (B, C, size, size)."""
    if planes.shape[-1] == size:
        return planes
    return F.interpolate(planes, size=(size, size), mode="bicubic", antialias=True, align_corners=False)
