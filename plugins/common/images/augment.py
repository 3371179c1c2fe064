"""Random square crops for training: rotated, zoomed, flipped and recolored."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from restore.core.dataset import Batch
from restore.plugins.common.images.augment_settings import CropAugmentation
from restore.plugins.common.images.resize import bilinear


def augment_crop(image: Tensor, side: int, settings: CropAugmentation) -> Tensor:
    """Return a random crop (3, side, side) in [0, 1] of an image (3, H, W) uint8, augmented as the settings say.

    All corners of a rotated crop lie inside the image, so that no corner has to be filled; if the image is too small
    for that, the crop is smaller and zoomed in. H and W must be at least ``side``. Random numbers come from torch's
    global generator.
    """
    # slow to import, and only training needs it
    from torchvision.transforms.v2 import ColorJitter, InterpolationMode
    from torchvision.transforms.v2.functional import center_crop, rotate

    angle = settings.rotate * (2 * float(torch.rand(())) - 1) if settings.rotate else 0.0
    low, high = map(math.log, settings.zoom)  # so that halving and doubling are equally likely
    factor = math.exp(low + (high - low) * float(torch.rand(()))) if low < high else settings.zoom[0]
    # A rotated square needs a larger one around it.
    widening = 1.0 if angle == 0 else abs(math.cos(math.radians(angle))) + abs(math.sin(math.radians(angle)))
    seen = min(round(side * factor * widening), *image.shape[-2:])
    top, left = (int(torch.randint(length - seen + 1, ())) for length in image.shape[-2:])
    part = image[:, top : top + seen, left : left + seen].float() / 255
    around = (
        side if angle == 0 else math.ceil(side * widening) + 2
    )  # interpolation mixes border pixels with those beyond
    part = bilinear(part, (around, around))
    if angle:
        part = center_crop(rotate(part, angle, InterpolationMode.BILINEAR), [side, side])
    if settings.flip and torch.randint(2, ()):
        part = part.flip(-1)
    if settings.jitter:
        part = ColorJitter(settings.jitter, settings.jitter, settings.jitter)(part)
    return part.clamp(0, 1)


def recolor(batch: Batch) -> Batch:
    """Permute and dim the color channels at random, equally in all images of a sample.

    ``batch`` contains only images (B, 3, H, W) in [0, 1]. Gray images get a tint. Random numbers come from torch's CPU
    generator on every device.
    """
    samples = len(next(iter(batch.values())))
    orders, gains = torch.rand(samples, 3).argsort(1), 1 - 0.6 * torch.rand(samples, 3, 1, 1)
    chosen = torch.arange(samples)[:, None], orders
    return {name: gains.to(images.device) * images[chosen] for name, images in batch.items()}
