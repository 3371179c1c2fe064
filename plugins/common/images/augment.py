"""Square parts of images for training, turned, scaled, mirrored and recolored at random."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from restore.core.dataset import Batch
from restore.plugins.common.images.augment_settings import CropAugmentation
from restore.plugins.common.images.resize import bilinear


def augmented_crop(image: Tensor, side: int, settings: CropAugmentation) -> Tensor:
    """A part of an image (3, H, W) uint8 as (3, side, side) in [0, 1]; random numbers come from torch's global
    generator.

    Of a turned part all corners lie in the image: where it is too small for that, less is seen at a larger scale, so
    that nothing has to be made up at the corners. H and W are ``side`` at least.
    """
    # as slow to import as torch itself, and only needed to train
    from torchvision.transforms.v2 import ColorJitter, InterpolationMode
    from torchvision.transforms.v2.functional import center_crop, rotate

    angle = settings.rotate * (2 * float(torch.rand(())) - 1) if settings.rotate else 0.0
    low, high = map(math.log, settings.zoom)  # so that halving and doubling are equally likely
    factor = math.exp(low + (high - low) * float(torch.rand(()))) if low < high else settings.zoom[0]
    # A square that is turned needs a larger one around it.
    widening = 1.0 if angle == 0 else abs(math.cos(math.radians(angle))) + abs(math.sin(math.radians(angle)))
    seen = min(round(side * factor * widening), *image.shape[-2:])
    top, left = (int(torch.randint(length - seen + 1, ())) for length in image.shape[-2:])
    part = image[:, top : top + seen, left : left + seen].float() / 255
    around = side if angle == 0 else math.ceil(side * widening) + 2  # a pixel at the rim is mixed with what is beyond
    part = bilinear(part, (around, around))
    if angle:
        part = center_crop(rotate(part, angle, InterpolationMode.BILINEAR), [side, side])
    if settings.flip and torch.randint(2, ()):
        part = part.flip(-1)
    if settings.jitter:
        part = ColorJitter(settings.jitter, settings.jitter, settings.jitter)(part)
    return part.clamp(0, 1)


def recolor(batch: Batch) -> Batch:
    """Samples with their channels exchanged and dimmed, each at random, alike in all images of a sample.

    ``batch`` holds images (B, 3, H, W) in [0, 1] and nothing else. Gray images get a tint. Random numbers are torch's
    on the CPU, whatever the device.
    """
    samples = len(next(iter(batch.values())))
    orders, gains = torch.rand(samples, 3).argsort(1), 1 - 0.6 * torch.rand(samples, 3, 1, 1)
    chosen = torch.arange(samples)[:, None], orders
    return {name: gains.to(images.device) * images[chosen] for name, images in batch.items()}
