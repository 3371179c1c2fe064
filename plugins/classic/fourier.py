"""Upscaling an image by continuing its waves."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from restore.core.runtime.devices import in_float64
from restore.plugins.common.images.resize import resized_length


def fourier(images: Tensor, scale: float) -> Tensor:
    """The smoothest image through all pixels: the spectrum, with zeros for the frequencies that were not sampled.

    An image (..., H, W) whose waves are all slower than half the sampling rate comes out exactly. Any other is taken
    for one period of an endless pattern, so that its opposite edges ring where they differ. Pixel centers lie as in
    every other method here; ``ceil(H * scale)`` rows and ``ceil(W * scale)`` columns come out.
    """
    if scale < 1:
        raise ValueError(f"scale={scale}: the Fourier method needs a scale of at least 1")
    values = in_float64(images)
    for axis in (-2, -1):
        values = _continued(values, axis, resized_length(images.shape[axis], scale))
    return values.to(images.dtype).to(images.device)


def _continued(values: Tensor, axis: int, length: int) -> Tensor:
    """Lines of ``length`` values along an axis through the values that are there."""
    sampled = values.shape[axis]
    # contiguous: MKL of torch 2.6 refuses tensors that were expanded
    spectrum = torch.fft.rfft(values.contiguous(), dim=axis).movedim(axis, -1)
    waves = torch.arange(spectrum.shape[-1], dtype=torch.float64, device=values.device)
    # The first new center lies (sampled / length - 1) / 2 pixels after the first old one: every wave is moved by that.
    shift = (sampled / length - 1) / 2
    spectrum = spectrum * torch.exp(2j * math.pi * waves * shift / sampled)
    if sampled % 2 == 0 and length > sampled:
        # An even number of samples sees its fastest wave as +f and -f at once. Now that both have a place, each gets
        # half; the other half comes from the symmetry of real signals.
        spectrum[..., -1] /= 2
    lines: Tensor = torch.fft.irfft(spectrum, n=length, dim=-1) * (length / sampled)
    return lines.movedim(-1, axis)
