"""Statistics of natural scenes: the 36 features of a patch that NIQE compares (Mittal et al., 2013, section II).

Natural images have luma that, normalized by its local mean and contrast, follows a generalized Gaussian distribution;
noise, blur and compression change its shape, and that of the products of neighbors.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.plugins.common.images.resize import imresize

SIDE = 96
"""Side of a patch at the first scale, in pixels; at the second it is half as long."""
FEATURES = 36
_RADIUS, _SIGMA = 3, 7 / 6
"""Window of the local mean and deviation: 7x7 pixels."""
_NEIGHBORS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Right, below, and both diagonals."""


def measure_patches(luma: Tensor) -> tuple[Tensor, Tensor]:
    """Return the features (N, 36) of each patch of an image, and its contrast (N,): the mean local deviation.

    Patches of 96x96 pixels lie side by side from the upper left corner; what is left at the other sides is not used.
    The first 18 features are those of the image, the others those of the image halved by MATLAB's bicubic filter.

    Args:
        luma: one image (H, W), float64, from 0 to 255, at least 96 pixels on a side.
    """
    rows, columns = (length // SIDE * SIDE for length in luma.shape)
    image = luma[:rows, :columns]
    features = []
    contrast = image.new_empty(0)
    for side in (SIDE, SIDE // 2):
        normalized, deviation = normalize_contrast(image)
        features.append(_describe(_cut(normalized, side)))
        if side == SIDE:
            contrast = _cut(deviation, side).mean((1, 2))
            image = imresize(image, 0.5)
    return torch.cat(features, dim=1), contrast


def normalize_contrast(image: Tensor) -> tuple[Tensor, Tensor]:
    """Return the normalized luma of an image (H, W) and its local standard deviation, both (H, W).

    The luma minus its local mean is divided by its local deviation plus one. Outside the image its border is repeated.
    """
    offsets = torch.arange(-_RADIUS, _RADIUS + 1, dtype=image.dtype, device=image.device)
    weights = torch.exp(-offsets.square() / (2 * _SIGMA**2))
    weights = weights / weights.sum()
    stacked = torch.stack([image, image.square()])[:, None]
    padded = F.pad(stacked, (_RADIUS,) * 4, mode="replicate")
    local = F.conv2d(F.conv2d(padded, weights[None, None, :, None]), weights[None, None, None])[:, 0]
    mean, square = local
    deviation = (square - mean.square()).clamp(min=0).sqrt()
    return (image - mean) / (deviation + 1), deviation


def _cut(image: Tensor, side: int) -> Tensor:
    """Return the patches (N, side, side) of an image (H, W), whose sides are multiples."""
    return image.unfold(0, side, side).unfold(1, side, side).flatten(0, 1)


def _describe(patches: Tensor) -> Tensor:
    """Return 18 features (N, 18) of normalized patches (N, side, side): 2 of the values, 4 of each product."""
    shape, left, right = fit_asymmetric(patches.flatten(1))
    features = [shape, (left + right) / 2]
    side = patches.shape[-1]
    for down, across in _NEIGHBORS:
        first = patches[:, : side - down, max(0, -across) : side - max(0, across)]
        other = patches[:, down:, max(0, across) : side + min(0, across)]
        shape, left, right = fit_asymmetric((first * other).flatten(1))
        gammas = torch.lgamma(2 / shape) - torch.lgamma(1 / shape)
        features += [shape, (right - left) * gammas.exp(), left, right]
    return torch.stack(features, dim=1)


def fit_asymmetric(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Fit asymmetric generalized Gaussian distributions to rows of values (N, K) by their moments.

    Returns shape, left scale and right scale, each (N,) (Lasmar et al., 2009): the density at x is proportional to
    exp(-(|x| / scale)^shape), with the scale of its side. A row without any variation has the shape NaN.
    """
    negative, positive = values < 0, values > 0
    squares = values.square()
    left = ((squares * negative).sum(1) / negative.sum(1)).sqrt()
    right = ((squares * positive).sum(1) / positive.sum(1)).sqrt()
    ratio = left / right
    spread = values.abs().mean(1).square() / squares.mean(1)
    spread = spread * (ratio**3 + 1) * (ratio + 1) / (ratio.square() + 1).square()
    shape = _find_shape(spread)
    to_scale = ((torch.lgamma(1 / shape) - torch.lgamma(3 / shape)) / 2).exp()
    return shape, left * to_scale, right * to_scale


def _find_shape(spread: Tensor) -> Tensor:
    """Return the shape, from 0.2 to 10, of generalized Gaussians with squared mean magnitude over mean square.

    Arguments and result are (N,); NaN stays NaN.
    """
    shapes, spreads = (each.to(spread) for each in _list_shapes())
    place = torch.searchsorted(spreads, spread.contiguous()).clamp(1, len(shapes) - 1)
    before, after = spreads[place - 1], spreads[place]
    part = ((spread - before) / (after - before)).clamp(0, 1)
    return shapes[place - 1] + part * (shapes[place] - shapes[place - 1])


@lru_cache(maxsize=1)
def _list_shapes() -> tuple[Tensor, Tensor]:
    shapes = torch.arange(200, 10_001, dtype=torch.float64) / 1000
    spreads = (2 * torch.lgamma(2 / shapes) - torch.lgamma(1 / shapes) - torch.lgamma(3 / shapes)).exp()
    return shapes, spreads
