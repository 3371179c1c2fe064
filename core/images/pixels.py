"""Pixel values: rounding to 8 bits, luma, and filling in unknown pixels from their neighborhood."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""Luma weights of red, green and blue (ITU-R BT.601)."""

TRUST = 16.0
"""How much more a coarser level trusts the known part of a pixel: one sixteenth known counts as fully known."""


def to_uint8(image: Tensor) -> Tensor:
    """Quantize an image in [0, 1] to uint8; see `to_levels`."""
    return to_levels(image).to(torch.uint8)


def to_pil_image(image: Tensor) -> Image.Image:
    """Return an RGB image (3, H, W) in [0, 1] as an image of Pillow with 8 bits."""
    return Image.fromarray(to_uint8(image).permute(1, 2, 0).cpu().contiguous().numpy())


def to_levels(image: Tensor) -> Tensor:
    """Quantize an image in [0, 1] to integers from 0 to 255, in floating point; values outside are clamped.

    Half a level rounds up, as in MATLAB. NaN stays NaN.
    """
    precise = image if image.dtype == torch.float64 else image.float()  # half precision cannot count to 255.5
    return (precise.clamp(0, 1) * 255 + 0.5).floor()


def luma(image: Tensor) -> Tensor:
    """Return full-range luma (..., 1, H, W) of images (..., 3, H, W) in [0, 1]: 0 for black, 1 for white.

    The luma of a gray image equals the image. Raises ValueError if there are not three channels.
    """
    if image.dim() < 3 or image.shape[-3] != 3:
        raise ValueError(f"expected images (..., 3, H, W), not {tuple(image.shape)}")
    red, green, blue = image.chunk(3, dim=-3)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


@torch.no_grad()
def pull_push(images: Tensor, weights: Tensor) -> Tensor:
    """Fill in the pixels of images (B, C, H, W) whose weight (B, 1, H, W) is zero from the known pixels around them.

    Each level of a pyramid halves the previous one and keeps the weighted mean of its known pixels. From the coarsest
    level (the mean color) upwards, unknown pixels are interpolated from the coarser level (Gortler et al., The
    Lumigraph, 1996, section 4.3). Pixels with a nonzero weight are unchanged, bit for bit. An image without a known
    pixel becomes zero.

    Args:
        images: float32 or float64; the values at weight zero do not matter.
        weights: known fraction of each pixel, in [0, 1].
    """
    with torch.autocast(images.device.type, enabled=False):
        weights = weights.to(images.dtype)
        levels = [(images * weights, weights)]
        while max(levels[-1][0].shape[-2:]) > 1:
            colors, known = (_halve(plane) for plane in levels[-1])
            trusted = (TRUST * known).clamp(max=1)
            levels.append((colors * trusted / _positive(known), trusted))
        filled = torch.zeros_like(levels[-1][0])
        for colors, known in reversed(levels):
            coarser = F.interpolate(filled, size=colors.shape[-2:], mode="bilinear")
            filled = torch.lerp(coarser, colors / _positive(known), known.expand_as(coarser))
        return torch.where(weights > 0, images, filled)


def _halve(x: Tensor) -> Tensor:
    """Halve height and width, rounded up, with a tent filter; edges of 2x2 boxes would be visible."""
    tent = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype, device=x.device) / 8
    channels, (height, width) = x.shape[1], x.shape[-2:]
    if height > 1:
        rows = tent.view(1, 1, 4, 1).expand(channels, 1, 4, 1)
        x = F.conv2d(F.pad(x, (0, 0, 1, 1 + height % 2)), rows, stride=(2, 1), groups=channels)
    if width > 1:
        columns = tent.view(1, 1, 1, 4).expand(channels, 1, 1, 4)
        x = F.conv2d(F.pad(x, (1, 1 + width % 2, 0, 0)), columns, stride=(1, 2), groups=channels)
    return x


def _positive(weights: Tensor) -> Tensor:
    return weights.clamp(min=torch.finfo(weights.dtype).tiny * 2**16)
