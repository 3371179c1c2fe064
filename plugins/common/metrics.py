"""PSNR and SSIM that state how they were computed.

Published tables disagree by tenths of a decibel because they compare different things: luma or color, rounded to 8 bits
or not, with or without the border. A metric here combines *what* is compared (a `Comparison`) with *how*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from restore.core.dataset import Batch
from restore.core.errors import DataError
from restore.core.images.pixels import luma, to_levels
from restore.core.metrics import EvaluationProtocol, measure_batch
from restore.core.runtime.devices import in_float64
from restore.plugins.common.images.color import studio_luma
from restore.plugins.common.metric_settings import Color

_COLORS = {"y8": "8-bit Y", "y": "Y", "rgb8": "8-bit RGB", "rgb": "RGB"}


@dataclass(frozen=True)
class Comparison:
    """Which values of two images are compared.

    A target with one channel is a gray image and its own Y: its values are not compressed into the range 16 to 235, as
    in published tables. A color prediction is then compared by its luma from 0 to 255.
    """

    color: Color = "rgb"
    """y8: luma (BT.601, 16 to 235) of the 8-bit image, rounded to 8 bits; y: the same, not rounded; rgb8: the 8-bit
    image; rgb: the image as it is."""
    border: int = 0
    """Pixels cropped from each side."""
    degraded: str = ""
    """What degraded the inputs, without which a number means nothing: ``restorer/noisy noise=25``; empty: nothing."""

    @property
    def convention(self) -> str:
        """How to print it, such as ``8-bit Y, border 4``."""
        border = f", border {self.border}" if self.border else ""
        return _COLORS[self.color] + border + (f", {self.degraded}" if self.degraded else "")

    @property
    def gray_rule(self) -> str:
        """What is compared of gray targets, in words that follow "gray targets"."""
        if self.color in ("y8", "y"):
            return "are their own Y, from 0 to 255 and not from 16 to 235"
        return "are compared with the luma of the output, from 0 to 255"

    def __call__(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Return the values to compare, (B, C', H', W'), float64, black 0 and white 255, of (B, C, H, W) in [0, 1].

        Raises ValueError if the shapes do not match, and DataError if the border leaves nothing.
        """
        sizes = {images.shape[:1] + images.shape[-2:] for images in (prediction, target)}
        channels = {prediction.shape[1], target.shape[1]}
        if len(sizes) > 1 or not channels <= {1, 3} or prediction.shape[1] < target.shape[1]:
            raise ValueError(
                f"expected images (B, 1 or 3, H, W) of one size, not a prediction {tuple(prediction.shape)} of a "
                f"target {tuple(target.shape)}"
            )
        height, width = target.shape[-2:]
        if min(height, width) <= 2 * self.border:
            raise DataError(
                f"an image of {width}x{height} pixels is too small for a metric with a border of {self.border}"
            )
        gray = target.shape[1] == 1
        return self._values(prediction, gray), self._values(target, gray)

    def _values(self, images: Tensor, gray: bool) -> Tensor:
        cut = self.border
        values = in_float64(images[..., cut : images.shape[-2] - cut, cut : images.shape[-1] - cut])
        if self.color != "rgb":
            values = to_levels(values) / 255
        if values.shape[1] == 3 and gray:
            values = luma(values)
        elif values.shape[1] == 3 and self.color in ("y8", "y"):
            values = studio_luma(values)
        if self.color == "y8":
            values = to_levels(values) / 255
        return 255 * values


@dataclass(frozen=True)
class PSNR:
    """Peak signal-to-noise ratio in dB, averaged over images.

    Two identical images have an infinite PSNR. An evaluation leaves them out of the mean and says so.
    """

    comparison: Comparison = Comparison()
    name: ClassVar[str] = "psnr"
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    limit: ClassVar[float] = 100.0
    """Decibels that an image counts at most when the best weights are chosen."""

    @property
    def convention(self) -> str:
        """What was compared."""
        return self.comparison.convention

    @property
    def gray_rule(self) -> str:
        """What is compared of gray targets."""
        return self.comparison.gray_rule

    @property
    def least_side(self) -> int:
        """One pixel, with the border."""
        return 1 + 2 * self.comparison.border

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the sum of squared errors (white is 255) and the number of values, (B, 2), float64.

        They are NaN for images that are smaller than `least_side`.
        """
        if min(target.shape[-2:]) < self.least_side:
            return in_float64(prediction).new_full((len(prediction), 2), torch.nan)
        a, b = self.comparison(prediction, target)
        errors = (a - b).square().flatten(1)
        return torch.stack([errors.sum(1), torch.full_like(errors[:, 0], errors.shape[1])], dim=1)

    def reduce(self, rows: Tensor) -> float:
        """Return the mean over rows, in dB."""
        errors, counts = rows.double().unbind(1)
        return float((10 * torch.log10(255**2 * counts / errors)).mean())


@dataclass(frozen=True)
class SSIM:
    """Structural similarity in [-1, 1] (Wang et al., 2004), averaged over images.

    Windows of 11x11 pixels with Gaussian weights (sigma 1.5), only where the whole window lies inside the image; K1 =
    0.01, K2 = 0.03, white is 255; mean over the windows of all channels.
    """

    comparison: Comparison = Comparison()
    name: ClassVar[str] = "ssim"
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    @property
    def convention(self) -> str:
        """What was compared."""
        return self.comparison.convention

    @property
    def gray_rule(self) -> str:
        """What is compared of gray targets."""
        return self.comparison.gray_rule

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the similarity of each image, (B, 1), float64; NaN for images that are smaller than `least_side`."""
        if min(target.shape[-2:]) < self.least_side:
            return in_float64(prediction).new_full((len(prediction), 1), torch.nan)
        a, b = self.comparison(prediction, target)
        return mean_similarity(a, b)[..., 0].mean(1, keepdim=True)

    @property
    def least_side(self) -> int:
        """Side of a window, with the border."""
        return _WINDOW + 2 * self.comparison.border

    def reduce(self, rows: Tensor) -> float:
        """Return the mean over rows; those of images that are too small (NaN) do not count."""
        return float(rows.double().nanmean())


_WINDOW = 11
_AT_ONCE = 2**20
"""Number of windows computed at once, so that memory does not grow with the image."""


def mean_similarity(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean SSIM and the mean of its factor for contrast and structure over all windows, (B, C, 2).

    Args:
        a: values (B, C, H, W), float64, white is 255; at least 11 pixels on a side.
        b: values of the same shape.
    """
    rows, columns = (length - _WINDOW + 1 for length in a.shape[-2:])
    total = a.new_zeros((*a.shape[:2], 2))
    strip = max(1, _AT_ONCE // (a.shape[0] * a.shape[1] * columns))
    for first in range(0, rows, strip):
        strips = (values[..., first : first + strip + _WINDOW - 1, :] for values in (a, b))
        luminance, structure = _factors(*strips)
        total += torch.stack([luminance * structure, structure], dim=-1).sum((2, 3))
    return total / (rows * columns)


def _factors(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return the factors of the SSIM of every window (B, C, H - 10, W - 10); equation 13, alpha = beta = gamma = 1."""
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_a, mean_b, square_a, square_b, product = _average_windows(torch.stack([a, b, a * a, b * b, a * b]))
    variance_a, variance_b, covariance = square_a - mean_a**2, square_b - mean_b**2, product - mean_a * mean_b
    luminance: Tensor = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    structure: Tensor = (2 * covariance + c2) / (variance_a + variance_b + c2)
    return luminance, structure


def _average_windows(values: Tensor) -> Tensor:
    """Return the Gaussian means of all windows, computed separately along each axis."""
    offsets = torch.arange(_WINDOW, dtype=torch.float64) - _WINDOW // 2
    weights = torch.exp(-(offsets**2) / (2 * 1.5**2))
    weights = weights / weights.sum()
    for axis in (-2, -1):
        windows = values.shape[axis] - _WINDOW + 1
        # A sum of shifted images is several times faster in float64 than a convolution with one channel.
        means = torch.zeros_like(values.narrow(axis, 0, windows))
        for shift, weight in enumerate(weights.tolist()):
            means.add_(values.narrow(axis, shift, windows), alpha=weight)
        values = means
    return values


def build_psnr(color: Color = "rgb8", border: int = 0) -> PSNR:
    """Build the PSNR of settings; see `Comparison`."""
    return PSNR(Comparison(color, border))


def build_ssim(color: Color = "rgb8", border: int = 0) -> SSIM:
    """Build the SSIM of settings; see `Comparison`."""
    return SSIM(Comparison(color, border))


@dataclass(frozen=True)
class PrecomputedMetric:
    """A metric whose values were computed elsewhere: their sum per image, averaged over images.

    Its name is its key in the protocol.
    """

    name: str
    convention: str
    better: Literal["higher", "lower"] = "higher"

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002 - the signature of every metric
        """Return the values (B, K) or (B,), which are passed in place of the prediction, as (B, K), float64."""
        return in_float64(prediction).reshape(len(prediction), -1)

    def reduce(self, rows: Tensor) -> float:
        """Return the sum over K, averaged over images."""
        return float(rows.sum(1).mean())


def measure_samples(
    prediction: Tensor, batch: Batch, numbers: Mapping[str, Tensor], protocol: EvaluationProtocol
) -> dict[str, Tensor]:
    """Return the statistics of each sample for every metric.

    Args:
        prediction: images (B, C, H, W) in [0, 1].
        batch: ``target`` (B, C, H, W) in [0, 1], and what `measure_batch` reads.
        numbers: values (B, K) for metrics of the same name, which get them in place of the prediction.
        protocol: the metrics.
    """
    return {name: measure_batch(metric, numbers.get(name, prediction), batch) for name, metric in protocol.items()}
