"""Rank ladders of distortions by each image metric that needs no weights.

Every ladder makes the three validation photographs a little worse from step to step. Printed is a Markdown table with
the mean rank correlation (Spearman) of each metric with that order. Nothing in it is random but by a fixed seed. Run
``python benchmarks/metric_ladders.py``; it takes a few minutes.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Iterator, Sequence
from statistics import fmean

import numpy as np
import torch
from PIL import Image
from scipy.stats import spearmanr
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms.functional import gaussian_blur

from restore.core.images.pixels import to_levels, to_uint8
from restore.core.metrics import Metric, measure_batch
from restore.plugins.common.images.resize import imresize
from restore.plugins.common.images.samples import photographs
from restore.plugins.common.metrics import PSNR, SSIM, Comparison
from restore.plugins.common.quality.consistency import LowResolutionPSNR
from restore.plugins.common.quality.gradients import GMSD
from restore.plugins.common.quality.haar import HaarPSI
from restore.plugins.common.quality.multiscale import MSSSIM
from restore.plugins.common.quality.naturalness import NIQE
from restore.plugins.common.quality.pixels import L1, L2, TotalVariation
from restore.plugins.common.quality.spectrum import LogSpectralDistance
from restore.plugins.common.quality.texture import TextureSimilarity

LUMA = Comparison("y8", 4)
METRICS: tuple[Metric, ...] = (
    *(PSNR(LUMA), L1(LUMA), L2(LUMA), SSIM(LUMA), MSSSIM(LUMA), GMSD(4), HaarPSI(4)),
    *(TotalVariation(LUMA), TextureSimilarity(4), LogSpectralDistance(4), LowResolutionPSNR(), NIQE(4)),
)
LARGEST = 432
"""Sides of the photographs at most, in pixels."""
SCALE = 4
"""Scale of displaced texture, and of the images that ``lr-psnr`` takes the outputs to be made from."""


def blur(image: Tensor, sigma: float) -> Tensor:
    """Return an image (1, 3, H, W) blurred by a Gaussian."""
    side = 2 * int(3 * sigma + 1) + 1
    for kernel in ([side, 1], [1, side]):  # far faster than both axes at once
        image = gaussian_blur(image, kernel, [sigma, sigma])
    return image


def noisy(image: Tensor, level: float) -> Tensor:
    """Return an image with noise of so many levels of 255."""
    generator = torch.Generator().manual_seed(3)
    return image + level / 255 * torch.randn(image.shape, generator=generator, dtype=image.dtype)


def compress(image: Tensor, quality: float) -> Tensor:
    """Return an image as JPEG of a quality gives it back."""
    stored = io.BytesIO()
    Image.fromarray(to_uint8(image[0]).permute(1, 2, 0).numpy()).save(stored, "JPEG", quality=int(quality))
    with Image.open(stored) as opened:
        return torch.from_numpy(np.array(opened)).permute(2, 0, 1)[None].double() / 255


def upscale(image: Tensor, scale: float) -> Tensor:
    """Return an image made small by MATLAB's bicubic filter and large again."""
    height, width = image.shape[-2:]
    return imresize(imresize(image, 1 / scale).clamp(0, 1), scale)[..., :height, :width]


def displace_texture(image: Tensor, amount: float) -> Tensor:
    """Return an image made small and large again, with a part of the lost detail, moved by about a pixel."""
    height, width = image.shape[-2:]
    low = upscale(image, SCALE)
    generator = torch.Generator().manual_seed(5)
    steps = torch.randn(1, 2, height // 8, width // 8, generator=generator, dtype=image.dtype)
    rows, columns = F.interpolate(steps, (height, width), mode="bicubic")[0]
    rows = rows + torch.arange(height, dtype=image.dtype)[:, None]
    columns = columns + torch.arange(width, dtype=image.dtype)
    grid = torch.stack([2 * columns / (width - 1) - 1, 2 * rows / (height - 1) - 1], dim=-1)[None]
    moved = F.grid_sample(image - low, grid, mode="bicubic", padding_mode="reflection", align_corners=True)
    return low + amount * moved


def add_checkerboard(image: Tensor, level: float) -> Tensor:
    """Return an image with a checkerboard of single pixels, so many levels of 255 bright and dark."""
    rows, columns = (torch.arange(side) for side in image.shape[-2:])
    return image + level / 255 * (1 - 2 * ((rows[:, None] + columns) % 2))


def oversharpen(image: Tensor, amount: float) -> Tensor:
    """Return an image with halos: the difference from its blur is added again, so many times."""
    return image + amount * (image - blur(image, 1.5))


LADDERS: dict[str, tuple[Callable[[Tensor, float], Tensor], tuple[float, ...]]] = {
    "blur": (blur, (0.5, 0.8, 1.2, 1.8, 2.6, 4)),
    "noise": (noisy, (4, 8, 14, 22, 35, 50)),
    "JPEG": (compress, (90, 70, 50, 30, 15, 7)),
    "bicubic": (upscale, (1.5, 2, 2.5, 3, 4, 6)),
    "checkerboard": (add_checkerboard, (1, 2, 4, 8, 14, 22)),
    "halos": (oversharpen, (0.1, 0.3, 0.6, 1, 1.6, 2.4)),
    "displaced texture": (displace_texture, (1, 0.8, 0.6, 0.4, 0.2, 0)),
}


def climb(distort: Callable[[Tensor, float], Tensor], strengths: Sequence[float]) -> Iterator[list[float]]:
    """Yield, for each photograph, the rank correlation between each metric and the order of a ladder."""
    for photograph in photographs("validation", LARGEST):
        target = photograph[None].double() / 255
        batch = {"target": target, "input": to_levels(imresize(target, 1 / SCALE)) / 255}
        steps = [to_levels(distort(target, strength)) / 255 for strength in strengths]
        found = []
        for metric in METRICS:
            sign = 1 if metric.better == "higher" else -1
            values = [sign * metric.reduce(measure_batch(metric, step, batch)) for step in steps]
            found.append(float(spearmanr(values, range(len(values), 0, -1)).statistic))
        yield found


def main() -> None:
    """Print the table: the mean over photographs."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    columns = [list(zip(*climb(*ladder), strict=True)) for ladder in LADDERS.values()]
    print(f"| | {' | '.join(LADDERS)} |\n|{'---|' * (1 + len(LADDERS))}")
    for place, metric in enumerate(METRICS):
        cells = [f"{fmean(column[place]):.2f}" for column in columns]
        print(f"| `{metric.name}` ({metric.convention}) | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
