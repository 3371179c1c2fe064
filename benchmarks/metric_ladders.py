"""Rank ladders of distortions by each image metric: which metrics see what an adversarial phase gains?

Every ladder makes the three validation photographs a little worse from step to step. Printed is a Markdown table with
the mean rank correlation (Spearman) of each metric with that order. Run ``python benchmarks/metric_ladders.py``.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from statistics import fmean

import numpy as np
import torch
from PIL import Image
from scipy.stats import spearmanr
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms.functional import gaussian_blur

from restore.core.images.pixels import to_levels, to_uint8
from restore.core.metrics import Metric
from restore.plugins.common.images.resize import imresize
from restore.plugins.common.images.samples import photographs
from restore.plugins.common.metrics import PSNR, SSIM, Comparison
from restore.plugins.common.quality.gradients import GMSD
from restore.plugins.common.quality.haar import HaarPSI
from restore.plugins.common.quality.multiscale import MSSSIM
from restore.plugins.common.quality.pixels import TotalVariation
from restore.plugins.common.quality.spectrum import LogSpectralDistance
from restore.plugins.common.quality.texture import TextureSimilarity

LUMA = Comparison("y8", 4)
METRICS: tuple[Metric, ...] = (
    *(PSNR(LUMA), SSIM(LUMA), MSSSIM(LUMA), GMSD(4), HaarPSI(4), TotalVariation(LUMA), TextureSimilarity(4)),
    LogSpectralDistance(4),
)


def blurred(image: Tensor, sigma: float) -> Tensor:
    """Return an image (1, 3, H, W) blurred by a Gaussian."""
    side = 2 * int(3 * sigma + 1) + 1
    return gaussian_blur(image, [side, side], [sigma, sigma])


def noisy(image: Tensor, level: float) -> Tensor:
    """Return an image with noise of so many levels of 255."""
    generator = torch.Generator().manual_seed(3)
    return image + level / 255 * torch.randn(image.shape, generator=generator, dtype=image.dtype)


def compressed(image: Tensor, quality: float) -> Tensor:
    """Return an image as JPEG of a quality gives it back."""
    stored = io.BytesIO()
    Image.fromarray(to_uint8(image[0]).permute(1, 2, 0).numpy()).save(stored, "JPEG", quality=int(quality))
    with Image.open(stored) as opened:
        return torch.from_numpy(np.array(opened)).permute(2, 0, 1)[None].double() / 255


def with_displaced_texture(image: Tensor, amount: float) -> Tensor:
    """Return an image made small and large again, with a part of the lost detail, moved by about a pixel."""
    height, width = image.shape[-2:]
    low = imresize(imresize(image, 1 / 4).clamp(0, 1), 4)
    generator = torch.Generator().manual_seed(5)
    steps = torch.randn(1, 2, height // 8, width // 8, generator=generator, dtype=image.dtype)
    rows, columns = F.interpolate(steps, (height, width), mode="bicubic")[0]
    rows = rows + torch.arange(height, dtype=image.dtype)[:, None]
    columns = columns + torch.arange(width, dtype=image.dtype)
    grid = torch.stack([2 * columns / (width - 1) - 1, 2 * rows / (height - 1) - 1], dim=-1)[None]
    moved = F.grid_sample(image - low, grid, mode="bicubic", padding_mode="reflection", align_corners=True)
    return low + amount * moved


def checkered(image: Tensor, level: float) -> Tensor:
    """Return an image with a checkerboard of single pixels, so many levels of 255 bright and dark."""
    rows, columns = (torch.arange(side) for side in image.shape[-2:])
    return image + level / 255 * (1 - 2 * ((rows[:, None] + columns) % 2))


def oversharpened(image: Tensor, amount: float) -> Tensor:
    """Return an image with halos: the difference from its blur is added again, so many times."""
    return image + amount * (image - blurred(image, 1.5))


LADDERS: dict[str, tuple[Callable[[Tensor, float], Tensor], tuple[float, ...]]] = {
    "blur": (blurred, (0.5, 0.8, 1.2, 1.8, 2.6, 4)),
    "noise": (noisy, (4, 8, 14, 22, 35, 50)),
    "JPEG": (compressed, (90, 70, 50, 30, 15, 7)),
    "checkerboard": (checkered, (1, 2, 4, 8, 14, 22)),
    "halos": (oversharpened, (0.1, 0.3, 0.6, 1, 1.6, 2.4)),
    "displaced texture": (with_displaced_texture, (1, 0.8, 0.6, 0.4, 0.2, 0)),
}


def correlate(metric: Metric, distort: Callable[[Tensor, float], Tensor], strengths: tuple[float, ...]) -> float:
    """Return the mean over photographs of the rank correlation between a metric and the order of a ladder."""
    sign = 1 if metric.better == "higher" else -1
    found = []
    for photograph in photographs("validation"):
        target = photograph[None].double() / 255
        steps = (to_levels(distort(target, strength)) / 255 for strength in strengths)
        values = [sign * metric.reduce(metric.measure(step, target)) for step in steps]
        found.append(float(spearmanr(values, range(len(values), 0, -1)).statistic))
    return fmean(found)


def main() -> None:
    """Print the table."""
    print(f"| | {' | '.join(LADDERS)} |\n|{'---|' * (1 + len(LADDERS))}")
    for metric in METRICS:
        cells = " | ".join(f"{correlate(metric, *ladder):.2f}" for ladder in LADDERS.values())
        print(f"| {metric.name} ({metric.convention}) | {cells} |", flush=True)


if __name__ == "__main__":
    main()
