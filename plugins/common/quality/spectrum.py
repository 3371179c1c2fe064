"""How far the detail of an output is from that of its target in strength, scale by scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import torch
from torch import Tensor
from typing_extensions import override

from restore.plugins.common.quality.sized import LumaMetric

WINDOW, OCTAVES, ORIENTATIONS = 16, 4, 4
FLOOR = 1.0
"""Power that counts as nothing: detail of one of 256 levels."""
_AT_ONCE = 2**14
"""Number of windows transformed at once, so that memory does not grow with the image."""


@dataclass(frozen=True)
class LogSpectralDistance(LumaMetric):
    """Log-spectral distance in dB between the local spectra of two images; 0 is equal.

    It is the distance that audio is compared with, in two dimensions. Hann windows of 16x16 pixels lie every 8 pixels;
    the mean of each is removed. The power of its Fourier coefficients is averaged over bands of an octave and 45
    degrees; those of the Nyquist frequency, which have no orientation, are left out. The distance of two windows is the
    root mean square, over bands, of the differences in dB; that of two images is the mean over windows.

    Phases are not compared: detail may lie a pixel off, but must be as strong as in the target, at the same scale and
    orientation and in the same place of the image. Blur lacks it, and noise, ringing and checkerboards have too much.
    """

    degraded: str = ""
    """What degraded the inputs; see `Comparison`."""
    name: ClassVar[str] = "lsd"
    better: ClassVar[Literal["higher", "lower"]] = "lower"
    smallest: ClassVar[int] = WINDOW

    @property
    @override
    def convention(self) -> str:
        border = f", border {self.border}" if self.border else ""
        return f"dB, {WINDOW}x{WINDOW}, 8-bit luma" + border + (f", {self.degraded}" if self.degraded else "")

    @override
    def values(self, prediction: Tensor, target: Tensor) -> Tensor:
        a, b = self.lumas(prediction, target)
        total, count = torch.zeros_like(a[:, 0, 0, 0]), 0
        for one, other in zip(_windows(a), _windows(b), strict=True):
            decibels = 10 * ((_band_powers(one) + FLOOR) / (_band_powers(other) + FLOOR)).log10()
            total += decibels.square().mean(-1).sqrt().sum(1)
            count += decibels.shape[1]
        return total / count


def _windows(image: Tensor) -> Iterator[Tensor]:
    """Yield the windows of an image (B, 1, H, W) in groups (B, N, 16, 16)."""
    windows = image[:, 0].unfold(1, WINDOW, WINDOW // 2).unfold(2, WINDOW, WINDOW // 2)  # (B, rows, columns, 16, 16)
    rows = max(1, _AT_ONCE // (windows.shape[0] * windows.shape[2]))
    for group in torch.split(windows, rows, dim=1):
        yield group.flatten(1, 2)


def _band_powers(windows: Tensor) -> Tensor:
    """Return the mean power of each band, (B, N, bands); that of white noise is its variance."""
    slopes = torch.hann_window(WINDOW + 2, periodic=False, dtype=windows.dtype, device=windows.device)[1:-1]
    weights = slopes[:, None] * slopes
    means = (windows * weights).sum((-2, -1), keepdim=True) / weights.sum()
    powers = torch.fft.rfft2((windows - means) * weights).abs().square() / weights.square().sum()
    means_of_bands: Tensor = powers.flatten(-2) @ _band_weights().to(powers).T
    return means_of_bands


@lru_cache(maxsize=1)
def _band_weights() -> Tensor:
    """Return the share of each coefficient of ``rfft2`` in each band, (bands, 16 x 9), float64.

    The first octave ends at the diagonal Nyquist frequency, of 8 * sqrt(2) cycles a window.
    """
    half = WINDOW // 2
    rows = (torch.fft.fftfreq(WINDOW, dtype=torch.float64) * WINDOW)[:, None]
    columns = torch.arange(half + 1, dtype=torch.float64)
    oriented = (rows.abs() < half) & (columns < half)
    squares = rows.square() + columns.square()
    twice = torch.where(columns > 0, 2.0, 1.0)  # coefficients whose mirror image rfft2 leaves out
    angles = (torch.atan2(rows, columns) / (torch.pi / ORIENTATIONS)).round() % ORIENTATIONS
    bands = []
    for octave in range(OCTAVES):
        upper = 2 * half**2 / 4**octave
        for orientation in range(ORIENTATIONS):
            inside = oriented & (squares <= upper) & (squares > upper / 4) & (angles == orientation)
            bands.append((inside * twice).flatten())
    weights = torch.stack(bands)
    return weights / weights.sum(1, keepdim=True)
