"""Blur kernels, (side, side) float32 that sum to one; sides are odd.

Sources: Wang et al., *Real-ESRGAN*, 2021, sections 3.1 and 3.3; Liu et al., *Estimating generalized Gaussian blur
kernels for out-of-focus image deblurring*, 2020.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from restore.plugins.common.degradation.drawing import choose_weighted, draw_integer, uniform
from restore.plugins.common.degradation.settings import BlurSettings


def gaussian(side: int, sigmas: tuple[float, float], angle: float = 0.0, shape: float = 1.0) -> Tensor:
    """Return a generalized Gaussian kernel, ``exp(-d ** shape / 2)`` (Real-ESRGAN, section 3.1).

    Args:
        side: side in pixels.
        sigmas: standard deviations in pixels along the kernel's own axes.
        angle: rotation of these axes in radians.
        shape: exponent of the squared distance; 1 is a Gaussian.
    """
    return _normalize(torch.exp(-0.5 * _compute_squared_distances(side, sigmas, angle) ** shape))


def plateau(side: int, sigmas: tuple[float, float], angle: float = 0.0, shape: float = 1.0) -> Tensor:
    """Return a kernel that is flat in its middle, ``1 / (1 + d ** shape)``; arguments as of `gaussian`."""
    return _normalize(1 / (1 + _compute_squared_distances(side, sigmas, angle) ** shape))


def sinc(side: int, cutoff: float) -> Tensor:
    """Return the ideal circular low-pass filter (Real-ESRGAN, section 3.3), which rings at edges.

    Args:
        side: side in pixels.
        cutoff: cutoff frequency in radians a pixel; pi removes nothing along the axes.
    """
    rows, columns = _grid(side)
    radius = torch.sqrt(rows**2 + columns**2)
    middle = torch.full((), cutoff**2 / (4 * math.pi), dtype=torch.float64)
    ring = cutoff * torch.special.bessel_j1(cutoff * radius) / (2 * math.pi * radius.clamp(min=1e-9))
    return _normalize(torch.where(radius > 0, ring, middle))


def draw_kernel(settings: BlurSettings) -> Tensor:
    """Draw a kernel from torch's global generator."""
    kind = choose_weighted(settings.kernels)
    side = 2 * draw_integer((settings.sides[0] // 2, settings.sides[1] // 2)) + 1
    if kind == "sinc":
        return draw_sinc(side, lower_from=13)
    first = uniform(settings.sigma)
    if kind.endswith("anisotropic"):
        sigmas, angle = (first, uniform(settings.sigma)), uniform((-math.pi, math.pi))
    else:
        sigmas, angle = (first, first), 0.0
    if kind.startswith("generalized"):
        return gaussian(side, sigmas, angle, _around_one(settings.generalized_shape))
    if kind.startswith("plateau"):
        return plateau(side, sigmas, angle, _around_one(settings.plateau_shape))
    return gaussian(side, sigmas, angle)


def draw_sinc(side: int, lower_from: float) -> Tensor:
    """Draw a sinc kernel with a cutoff from pi / 3 to pi, or for sides from ``lower_from`` on from pi / 5 to pi."""
    return sinc(side, uniform((math.pi / (5 if side >= lower_from else 3), math.pi)))


def _around_one(limits: tuple[float, float]) -> float:
    """Draw a shape below 1 and above 1 equally often, if the limits allow both."""
    low, high = limits
    if not low < 1 < high:
        return uniform(limits)
    return uniform((low, 1.0) if torch.rand(()).item() < 0.5 else (1.0, high))


def _grid(side: int) -> tuple[Tensor, Tensor]:
    line = torch.arange(side, dtype=torch.float64) - side // 2
    return line[:, None], line[None, :]


def _compute_squared_distances(side: int, sigmas: tuple[float, float], angle: float) -> Tensor:
    rows, columns = _grid(side)
    cosine, sine = math.cos(angle), math.sin(angle)
    along, across = cosine * columns + sine * rows, cosine * rows - sine * columns
    return (along / sigmas[0]) ** 2 + (across / sigmas[1]) ** 2


def _normalize(kernel: Tensor) -> Tensor:
    return (kernel / kernel.sum()).float()
