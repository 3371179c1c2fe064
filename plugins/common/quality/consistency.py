"""Whether an upscaled image, made small again, is the image that it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from restore.plugins.common.images.resize import imresize
from restore.plugins.common.metrics import PSNR, Comparison


@dataclass(frozen=True)
class LowResolutionPSNR:
    """PSNR between an input and the output that is downscaled to its size, in dB, averaged over images.

    It sees what a generator invents at the wrong place or in the wrong color, and needs no target. MATLAB's bicubic
    filter downscales; results of inputs that were degraded otherwise cannot be compared with those of others.
    """

    name: ClassVar[str] = "lr-psnr"
    convention: ClassVar[str] = "8-bit RGB, downscaled by MATLAB's bicubic to the input"
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    limit: ClassVar[float] = PSNR.limit
    """Decibels that an image counts at most when the best weights are chosen."""

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the statistics with a target in place of the input."""
        return self.measure_from(prediction, target, target)

    def measure_from(self, prediction: Tensor, target: Tensor, inputs: Tensor) -> Tensor:  # noqa: ARG002
        """Return the sum of squared errors (white is 255) and the number of values, (B, 2), float64.

        Args:
            prediction: images (B, 3, H, W) in [0, 1].
            target: not used.
            inputs: images (B, 3, h, w) in [0, 1].
        """
        height, width = inputs.shape[-2:]
        scale = max(height / prediction.shape[-2], width / prediction.shape[-1])
        small = imresize(prediction.clamp(0, 1), scale)[..., :height, :width]
        return PSNR(Comparison("rgb8")).measure(small, inputs)

    def reduce(self, rows: Tensor) -> float:
        """Return the mean over rows, in dB."""
        return PSNR().reduce(rows)
