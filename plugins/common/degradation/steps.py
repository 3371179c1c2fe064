"""The single steps of a degradation, on images (3, H, W) float32 in [0, 1]."""

from __future__ import annotations

import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional as F

from restore.core.images.pixels import luma, to_uint8
from restore.plugins.common.degradation.compression import Format, compress
from restore.plugins.common.degradation.drawing import choose, draw_integer, happens, uniform
from restore.plugins.common.degradation.kernels import gaussian
from restore.plugins.common.degradation.settings import (
    CompressionSettings,
    Filter,
    NoiseSettings,
    ResizeSettings,
    SharpenSettings,
)

EVENTS = 256.0
"""Events that white counts in Poisson noise of scale 1. Real-ESRGAN takes the number of levels in an image, rounded up
to a power of two, which is this for nearly all photographs."""


def blur(image: Tensor, kernel: Tensor) -> Tensor:
    """Convolve an image with a kernel (side, side); the border is mirrored.

    The product of spectra is several times faster than a sum over the kernel, of which half the sides have 15 pixels.
    """
    margin = kernel.shape[0] // 2
    padded = pad_by_mirroring(image, margin)
    size = [next_fast_len(length, real=True) for length in padded.shape[-2:]]
    product = torch.fft.rfft2(padded, s=size) * torch.fft.rfft2(kernel, s=size)
    height, width = image.shape[-2:]
    blurred: Tensor = torch.fft.irfft2(product, s=size)[..., 2 * margin :, 2 * margin :]
    return blurred[..., :height, :width]


def pad_by_mirroring(image: Tensor, margin: int) -> Tensor:
    """Return (C, H + 2 margin, W + 2 margin) with a mirrored border, of images of any size."""
    if margin < min(image.shape[-2:]):
        return F.pad(image[None], (margin,) * 4, mode="reflect")[0]
    for axis in (-2, -1):
        length = image.shape[axis]
        period = max(1, 2 * length - 2)
        places = torch.arange(-margin, length + margin).remainder(period)
        image = image.index_select(axis, torch.minimum(places, period - places) if length > 1 else places)
    return image


def resize(image: Tensor, size: tuple[int, int], by: Filter, *, antialias: bool = False) -> Tensor:
    """Resize an image to (height, width); the result stays in [0, 1].

    Args:
        image: the image.
        size: height and width.
        by: the interpolation; ``area`` averages, and repeats pixels when it upscales.
        antialias: whether bilinear and bicubic filters widen when they downscale.
    """
    if tuple(image.shape[-2:]) == size:
        return image
    if by == "area":
        return F.interpolate(image[None], size=size, mode="area")[0]
    return F.interpolate(image[None], size=size, mode=by, align_corners=False, antialias=antialias)[0].clamp(0, 1)


def draw_factor(settings: ResizeSettings) -> float:
    """Draw by how much to resize; 1 is not at all."""
    drawn = torch.rand(()).item() if settings.up or settings.down else 1.0
    if drawn < settings.up:
        return uniform((max(1.0, settings.factors[0]), settings.factors[1]))
    if drawn < settings.up + settings.down:
        return uniform((settings.factors[0], min(1.0, settings.factors[1])))
    return 1.0


def draw_resize(image: Tensor, size: tuple[int, int], settings: ResizeSettings) -> Tensor:
    """Resize to (height, width) with a filter that is drawn."""
    if tuple(image.shape[-2:]) == size:
        return image
    return resize(image, size, choose(settings.filters), antialias=settings.antialias)


def add_noise(image: Tensor, settings: NoiseSettings) -> Tensor:
    """Add noise of a kind and a strength that are drawn; the result is limited to [0, 1]."""
    poisson, gray = happens(settings.poisson), happens(settings.gray)
    if poisson:
        noise = poisson_noise(luma(image) if gray else image) * uniform(settings.poisson_scale)
    else:
        noise = torch.randn_like(image[:1] if gray else image) * (uniform(settings.sigma) / 255)
    return (image + noise).clamp(0, 1)


def poisson_noise(image: Tensor) -> Tensor:
    """Return shot noise of an image: its mean is zero, its variance the image divided by `EVENTS`."""
    expected = image.clamp(0, 1) * EVENTS
    return (torch.poisson(expected) - expected) / EVENTS


def sharpen(image: Tensor, amount: float, sigma: float, threshold: float = 0.0) -> Tensor:
    """Sharpen by unsharp masking: add ``amount`` times what a Gaussian blur takes away; limited to [0, 1].

    Args:
        image: the image.
        amount: how much is added.
        sigma: standard deviation of the blur in pixels.
        threshold: differences up to this stay, with a soft transition to larger ones; 0 sharpens everything.
    """
    kernel = gaussian(2 * round(3 * sigma) + 1, (sigma, sigma))
    difference = image - blur(image, kernel)
    sharper = (image + amount * difference).clamp(0, 1)
    if not threshold:
        return sharper
    where = blur((difference.abs() > threshold).float(), kernel)
    return torch.lerp(image, sharper, where)


def draw_sharpening(image: Tensor, settings: SharpenSettings) -> Tensor:
    """Sharpen by an amount that is drawn."""
    return sharpen(image, uniform(settings.amount), uniform(settings.sigma))


def draw_compression(image: Tensor, settings: CompressionSettings) -> Tensor:
    """Compress with a quality that is drawn."""
    to: Format = "WEBP" if happens(settings.webp) else "JPEG"
    return compress(to_uint8(image), draw_integer(settings.quality), to).float() / 255
