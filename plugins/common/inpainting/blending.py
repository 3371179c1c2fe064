"""Blend an inpainted hole into the image: sharply, feathered, or seamlessly."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.sparse import coo_array, csc_array
from scipy.sparse.linalg import splu
from torch import Tensor

from restore.core.errors import DataError
from restore.core.images.pixels import luma


def blend(
    answer: Tensor,
    image: Tensor,
    mask: Tensor,
    *,
    feather: int = 0,
    poisson: bool = False,
    gray: bool | None = None,
) -> Tensor:
    """Return an image (3, H, W) with an answer inside the hole of a mask (1, H, W).

    Outside the hole the image is unchanged, bit for bit; with ``feather``, from that many pixels away on. If the known
    region is gray, the answer becomes gray too. The result is in [0, 1] wherever the image is.

    Args:
        answer: inpainted image (3, H, W).
        image: image (3, H, W) with a hole.
        mask: mask (1, H, W), 1 inside the hole.
        feather: width in pixels of the transition outside the hole.
        poisson: whether to keep only the texture of the answer and match the colors at the seam.
        gray: whether the known region is gray; None: as it is in this image, which may be a part only.
    """
    hole = mask > 0.5
    if not hole.any():
        return image
    if is_gray(image, hole) if gray is None else gray:
        answer = luma(answer).expand_as(image)
    answer = answer.clamp(0, 1)
    if poisson:
        host = (image.cpu(), answer.cpu(), mask.cpu())
        answer = poisson_blend(*host).clamp(0, 1).to(image.device, image.dtype)
    if not feather:
        return torch.where(hole, answer, image)
    share = feather_weights(mask, feather)
    return torch.where(share > 0, image + share * (answer - image), image)


def is_gray(image: Tensor, hole: Tensor) -> bool:
    """Return whether the three channels are equal outside the hole."""
    return not bool(((image != image[:1]) & ~hole).any())


def feather_weights(mask: Tensor, pixels: int) -> Tensor:
    """Return the weight of the answer, (1, H, W): one inside the hole, falling to zero ``pixels`` outside it."""
    distance = distance_transform_edt((mask[0] <= 0.5).cpu().numpy())
    share = 1 - torch.from_numpy(distance)[None] / (pixels + 1)
    return share.clamp(0, 1).to(mask.device, mask.dtype)


Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def poisson_blend(image: Tensor, patch: Tensor, mask: Tensor, *, mixed: bool = False) -> Tensor:
    """Return an image with the texture of a patch inside the mask and the colors of the image around it.

    Pérez, Gangnet and Blake, "Poisson image editing", 2003. Inside the mask, differences of neighbors are those of the
    patch (equation 7); at the seam, values are those of the image. There is no condition at the edge of the image. The
    result may leave the range of its inputs. Raises DataError if the mask covers the whole image.

    Args:
        image: image (C, H, W).
        patch: patch (C, H, W) at its position.
        mask: mask (1, H, W), 1 where the patch is used.
        mixed: whether to use, for each pair of neighbors, the larger difference of the two images (equation 13).
    """
    inside = (mask[0] > 0.5).numpy()
    if inside.all():
        raise DataError("the mask covers the whole image, so there is no seam to match")
    if not inside.any():
        return image
    unknowns = np.full(inside.shape, -1, dtype=np.int64)
    unknowns[inside] = np.arange(inside.sum())
    values, texture = image.double().numpy(), patch.double().numpy()
    neighbors = np.zeros(int(inside.sum()))
    right_side = np.zeros((len(neighbors), len(values)))
    links = [_towards(step, inside, unknowns, values, texture, mixed, neighbors, right_side) for step in _STEPS]
    solved = splu(_matrix(neighbors, links)).solve(right_side)  # (unknowns, C)
    blended = image.clone()
    blended[:, torch.from_numpy(inside)] = torch.from_numpy(solved.T).to(image.dtype)
    return blended


_STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))


def _towards(
    step: tuple[int, int],
    inside: NDArray[np.bool_],
    unknowns: Counts,
    values: Floats,
    texture: Floats,
    mixed: bool,
    neighbors: Floats,
    right_side: Floats,
) -> tuple[Counts, Counts]:
    """Add the contribution of the neighbors in one direction; return the pairs of neighbors that are both unknown."""
    height, width = inside.shape
    rows, columns = np.nonzero(inside)
    next_rows, next_columns = rows + step[0], columns + step[1]
    there = (next_rows >= 0) & (next_rows < height) & (next_columns >= 0) & (next_columns < width)
    here = (rows[there], columns[there])
    beyond = (next_rows[there], next_columns[there])
    own, other = unknowns[here], unknowns[beyond]
    wanted = texture[:, here[0], here[1]] - texture[:, beyond[0], beyond[1]]  # (C, pairs)
    if mixed:
        present = values[:, here[0], here[1]] - values[:, beyond[0], beyond[1]]
        wanted = np.where(np.abs(present) > np.abs(wanted), present, wanted)
    neighbors[own] += 1
    right_side[own] += wanted.T
    known = other < 0
    right_side[own[known]] += values[:, beyond[0][known], beyond[1][known]].T
    return own[~known], other[~known]


def _matrix(neighbors: Floats, links: list[tuple[Counts, Counts]]) -> csc_array:
    """Return the matrix of the system: neighbor counts on the diagonal, -1 for each unknown neighbor."""
    size = len(neighbors)
    diagonal = np.arange(size)
    rows = np.concatenate([diagonal, *(own for own, _ in links)])
    columns = np.concatenate([diagonal, *(other for _, other in links)])
    entries = np.concatenate([neighbors, -np.ones(len(rows) - size)])
    # splu accepts C integers only, and scipy before 1.12 does not convert others
    places = rows.astype(np.intc), columns.astype(np.intc)
    return csc_array(coo_array((entries, places), shape=(size, size)))
