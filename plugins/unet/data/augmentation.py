"""Augmentation of an image together with its mask; random numbers come from torch's global generator."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2
from typing_extensions import override

from restore.plugins.unet.settings import AugmentationSettings


class RightAngleTurn(v2.Transform):  # type: ignore[misc]  # torchvision is not typed
    """Rotates by a random multiple of 90 degrees, or of 180 degrees if the image is not square."""

    @override
    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = next(item.shape[-2:] for item in flat_inputs if isinstance(item, Tensor))
        quarter = int(torch.randint(4, ()))
        return {"quarters": quarter if height == width else 2 * (quarter // 2)}

    @override
    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return tv_tensors.wrap(torch.rot90(inpt, params["quarters"], (-2, -1)), like=inpt)


def make_augmentation(settings: AugmentationSettings, channels: int) -> v2.Transform:
    """Build the augmentation: rotations, flips, one of three color changes, and elastic deformation.

    It takes ``tv_tensors.Image`` uint8 (C, H, W) and ``tv_tensors.Mask``. Brightness and contrast change only in images
    with 1 or 3 channels, hue and saturation only in those with 3.
    """
    steps: list[v2.Transform] = []
    if settings.turns:
        steps.append(RightAngleTurn())
    if settings.flips:
        steps += [v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()]
    if settings.color and channels in (1, 3):
        steps.append(v2.RandomApply([_color(settings, channels)], p=settings.color))
    if settings.elastic:
        # Pixels that come from outside take the border's value, not black: reflecting is not offered.
        bend = v2.ElasticTransform(alpha=settings.elastic_strength, sigma=5.0)
        steps.append(v2.RandomApply([bend], p=settings.elastic))
    return v2.Compose(steps) if steps else v2.Identity()


def _color(settings: AugmentationSettings, channels: int) -> v2.Transform:
    strength = settings.strength
    brightness, contrast = v2.ColorJitter(brightness=strength), v2.ColorJitter(contrast=strength)
    if channels == 1:
        return v2.RandomChoice([brightness, contrast])
    hue = v2.ColorJitter(brightness=strength, saturation=strength, hue=settings.hue)
    return v2.RandomChoice([hue, brightness, contrast])
