"""Upscaling in the frequency domain."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from restore.core.images.resampling import scale_length
from restore.core.runtime.devices import in_float64


def fourier(images: Tensor, scale: float) -> Tensor:
    """Upscale images (..., H, W) by padding their spectrum with zeros.

    The result (..., ceil(H * scale), ceil(W * scale)) is the smoothest image through all pixels. It is exact for an
    image whose frequencies are all below half the sampling rate. The method treats the image as one period of an
    endless pattern, so opposite edges that differ cause ringing. Pixel centers lie as in every other method here.
    Raises ValueError for a scale below 1.
    """
    if scale < 1:
        raise ValueError(f"scale={scale}: the Fourier method needs a scale of at least 1")
    values = in_float64(images)
    for axis in (-2, -1):
        values = _interpolate(values, axis, scale_length(images.shape[axis], scale))
    return values.to(images.dtype).to(images.device)


def _interpolate(values: Tensor, axis: int, length: int) -> Tensor:
    """Interpolate ``length`` values along an axis."""
    sampled = values.shape[axis]
    # contiguous, because MKL of torch 2.6 rejects expanded tensors
    spectrum = torch.fft.rfft(values.contiguous(), dim=axis).movedim(axis, -1)
    waves = torch.arange(spectrum.shape[-1], dtype=torch.float64, device=values.device)
    # The first new center lies (sampled / length - 1) / 2 pixels after the first old one, so all waves are shifted.
    shift = (sampled / length - 1) / 2
    spectrum = spectrum * torch.exp(2j * math.pi * waves * shift / sampled)
    if sampled % 2 == 0 and length > sampled:
        # With an even number of samples the highest frequency stands for both +f and -f. The longer spectrum has both,
        # so each gets half; irfft adds the other half by the symmetry of real signals.
        spectrum[..., -1] /= 2
    lines: Tensor = torch.fft.irfft(spectrum, n=length, dim=-1) * (length / sampled)
    return lines.movedim(-1, axis)
