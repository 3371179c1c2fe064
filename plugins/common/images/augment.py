"""Square parts of pictures for training, turned, scaled, mirrored and recoloured by chance."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from restore.plugins.common.images.augment_settings import CropAugmentation
from restore.plugins.common.images.bilinear import bilinear


def varied_crop(picture: Tensor, side: int, settings: CropAugmentation) -> Tensor:
    """A part of a picture (3, H, W) uint8 as (3, side, side) in [0, 1]; chance comes from torch's global generator.

    Of a turned part all corners lie in the picture: where it is too small for that, less is seen at a larger scale, so
    that nothing has to be made up at the corners. H and W are ``side`` at least.
    """
    # as slow to import as torch itself, and only needed to train
    from torchvision.transforms.v2 import ColorJitter, InterpolationMode
    from torchvision.transforms.v2.functional import center_crop, rotate

    angle, factor = _angle(settings), _factor(settings)
    # A square that is turned needs a larger one around it.
    widening = 1.0 if angle == 0 else abs(math.cos(math.radians(angle))) + abs(math.sin(math.radians(angle)))
    seen = min(round(side * factor * widening), *picture.shape[-2:])
    top, left = (int(torch.randint(length - seen + 1, ())) for length in picture.shape[-2:])
    part = picture[:, top : top + seen, left : left + seen].float() / 255
    around = side if angle == 0 else math.ceil(side * widening) + 2  # a pixel at the rim is mixed with what is beyond
    part = bilinear(part, (around, around))
    if angle:
        part = center_crop(rotate(part, angle, InterpolationMode.BILINEAR), [side, side])
    if settings.flip and torch.randint(2, ()):
        part = part.flip(-1)
    if settings.jitter:
        part = ColorJitter(settings.jitter, settings.jitter, settings.jitter)(part)
    return part.clamp(0, 1)


def _angle(settings: CropAugmentation) -> float:
    return settings.rotate * (2 * float(torch.rand(())) - 1) if settings.rotate else 0.0


def _factor(settings: CropAugmentation) -> float:
    """Halving and doubling are as likely."""
    low, high = settings.scale
    if low == high:
        return low
    return math.exp(math.log(low) + (math.log(high) - math.log(low)) * float(torch.rand(())))
