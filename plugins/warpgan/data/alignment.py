"""Face alignment: a similarity transform of five landmarks to fixed reference points."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from restore.core.errors import DataError

Points = NDArray[np.float64]

REFERENCE: Points = np.array(
    [
        [-0.158083929, -0.0384258929],
        [0.156533929, -0.0401660714],
        [0.000225, 0.140505357],
        [-0.129024107, 0.324691964],
        [0.131516964, 0.323250893],
    ]
)
"""Left eye, right eye, tip of the nose, left and right corner of the mouth: (x, y) relative to the center of the image,
in units of its side, before `SCALE`. WarpGAN was trained with these (Shi et al., 2019, the authors' code)."""

SCALE = 0.7
"""Scale of the reference points: the authors' choice, which leaves room for hair and exaggerated chins."""


def reference(size: int, scale: float = SCALE) -> Points:
    """Return the five landmarks (5, 2) of an aligned image of ``size`` x ``size`` pixels, x and y in pixels."""
    return REFERENCE * (scale * size) + size / 2


def similarity(source: Points, target: Points) -> Points:
    """Return the rotation, scale and shift (2, 3) that map ``source`` (N, 2) to ``target`` with least squared error.

    There is no reflection. Umeyama, 1991, "Least-squares estimation of transformation parameters between two point
    patterns", equations 40 to 42. Raises DataError if all source points are equal.
    """
    centers = source.mean(0), target.mean(0)
    from_center, to_center = source - centers[0], target - centers[1]
    spread = float((from_center**2).sum())
    if not spread > 0:
        raise DataError("all landmarks are at the same position, so scale and rotation are undefined")
    left, strengths, right = np.linalg.svd(to_center.T @ from_center)
    signs = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right)) or 1.0])
    turn = left * signs @ right
    size = (strengths * signs).sum() / spread
    return np.concatenate([size * turn, (centers[1] - size * turn @ centers[0])[:, None]], axis=1)


def transform_points(points: Points, transform: Points) -> Points:
    """Apply a transform (2, 3) to points (N, 2)."""
    return np.asarray(points @ transform[:, :2].T + transform[:, 2])


def align_face(image: Tensor, landmarks: Points, size: int, scale: float = SCALE) -> Tensor:
    """Align an image (3, H, W) in [0, 1]: (3, size, size) with its face at the reference points; edges are repeated.

    Args:
        image: the image.
        landmarks: (5, 2), x and y in pixels; integers are centers of pixels.
        size: side of the aligned image in pixels.
        scale: scale of the reference points. A downscaled image is blurred first (antialiasing).
    """
    transform = similarity(landmarks, reference(size, scale))
    shrinking = float(np.hypot(*transform[:, 0]))
    if shrinking < 1:
        spread = (1 / shrinking - 1) / 2
        image = torch.from_numpy(ndimage.gaussian_filter(image.numpy(), (0, spread, spread), mode="nearest"))
    back = np.linalg.inv(np.concatenate([transform, [[0.0, 0.0, 1.0]]]))[:2]
    places = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1).reshape(-1, 2).astype(float)
    height, width = image.shape[-2:]
    grid = (2 * transform_points(places, back) + 1) / [width, height] - 1
    sampled = F.grid_sample(
        image[None],
        torch.from_numpy(grid.reshape(1, size, size, 2)).float(),
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    return sampled[0]
