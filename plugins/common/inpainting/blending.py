"""Put what was made into the hole: sharply, faded, or without a seam."""

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


def blend(answer: Tensor, image: Tensor, mask: Tensor, *, feather: int = 0, poisson: bool = False) -> Tensor:
    """An image (3, H, W) with an answer where a mask (1, H, W) is one.

    Outside the hole it is the image, bit for bit; with ``feather``, from that many pixels away on, and in between the
    two fade into each other. ``poisson`` keeps the answer's texture and takes the colors at the seam from the image.
    Of an image whose known part has no colors the answer's luma is taken. The result is in [0, 1] where the image
    is.
    """
    hole = mask > 0.5
    if not hole.any():
        return image
    if is_gray(image, hole):
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
    """Whether the three channels are the same outside the hole."""
    return not bool(((image != image[:1]) & ~hole).any())


def feather_weights(mask: Tensor, pixels: int) -> Tensor:
    """How much of the answer is taken (1, H, W): one in the hole, falling to zero ``pixels`` beyond it."""
    distance = distance_transform_edt((mask[0] <= 0.5).cpu().numpy())
    share = 1 - torch.from_numpy(distance)[None] / (pixels + 1)
    return share.clamp(0, 1).to(mask.device, mask.dtype)


Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def poisson_blend(image: Tensor, patch: Tensor, mask: Tensor, *, mixed: bool = False) -> Tensor:
    """An image with the texture of a patch where the mask is one, and the colors of the image around it.

    Pérez, Gangnet and Blake, "Poisson image editing", 2003.

    Inside, the result has the differences between neighbors that the patch has (equation 7 of the paper); at the seam
    it has the image's values. ``mixed`` takes, between each two neighbors, the larger difference of the two
    (equation 13). At the image's edge there is no neighbor to agree with, and none is asked for.

    Image and patch are (C, H, W), the mask (1, H, W). Outside the mask nothing changes; the result may leave the
    range of its inputs. Raises DataError when the mask leaves no pixel whose color could be kept.
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
    """Add what the neighbors in one direction contribute; the pairs of unknowns that are neighbors."""
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
    """Number of neighbors on the diagonal, minus one for every neighbor that is unknown too."""
    size = len(neighbors)
    diagonal = np.arange(size)
    rows = np.concatenate([diagonal, *(own for own, _ in links)])
    columns = np.concatenate([diagonal, *(other for _, other in links)])
    entries = np.concatenate([neighbors, -np.ones(len(rows) - size)])
    # splu takes C integers only, and scipy before 1.12 does not convert others
    places = rows.astype(np.intc), columns.astype(np.intc)
    return csc_array(coo_array((entries, places), shape=(size, size)))
