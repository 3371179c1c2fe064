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


def blend(answer: Tensor, picture: Tensor, mask: Tensor, *, feather: int = 0, poisson: bool = False) -> Tensor:
    """A picture (3, H, W) with an answer where a mask (1, H, W) is one.

    Outside the hole it is the picture, bit for bit; with ``feather``, from that many pixels away on, and in between the
    two fade into each other. ``poisson`` keeps the answer's texture and takes the colours at the seam from the picture.
    Of a picture whose known part has no colours the answer's luma is taken. The result is in [0, 1] where the picture
    is.
    """
    hole = mask > 0.5
    if not hole.any():
        return picture
    if is_gray(picture, hole):
        answer = luma(answer).expand_as(picture)
    answer = answer.clamp(0, 1)
    if poisson:
        host = (picture.cpu(), answer.cpu(), mask.cpu())
        answer = poisson_blend(*host).clamp(0, 1).to(picture.device, picture.dtype)
    if not feather:
        return torch.where(hole, answer, picture)
    share = feather_weights(mask, feather)
    return torch.where(share > 0, picture + share * (answer - picture), picture)


def is_gray(picture: Tensor, hole: Tensor) -> bool:
    """Whether the three channels are the same outside the hole."""
    return not bool(((picture != picture[:1]) & ~hole).any())


def feather_weights(mask: Tensor, pixels: int) -> Tensor:
    """How much of the answer is taken (1, H, W): one in the hole, falling to zero ``pixels`` beyond it."""
    distance = distance_transform_edt((mask[0] <= 0.5).cpu().numpy())
    share = 1 - torch.from_numpy(distance)[None] / (pixels + 1)
    return share.clamp(0, 1).to(mask.device, mask.dtype)


Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def poisson_blend(picture: Tensor, patch: Tensor, mask: Tensor, *, mixed: bool = False) -> Tensor:
    """A picture with the texture of a patch where the mask is one, and the colours of the picture around it.

    Pérez, Gangnet and Blake, "Poisson image editing", 2003.

    Inside, the result has the differences between neighbours that the patch has (equation 7 of the paper); at the seam
    it has the picture's values. ``mixed`` takes, between each two neighbours, the larger difference of the two
    (equation 13). At the picture's edge there is no neighbour to agree with, and none is asked for.

    Picture and patch are (C, H, W), the mask (1, H, W). Outside the mask nothing changes; the result may leave the
    range of its inputs. Raises DataError when the mask leaves no pixel whose colour could be kept.
    """
    inside = (mask[0] > 0.5).numpy()
    if inside.all():
        raise DataError("the mask covers the whole picture: there is no seam whose colours could be kept")
    if not inside.any():
        return picture
    unknowns = np.full(inside.shape, -1, dtype=np.int64)
    unknowns[inside] = np.arange(inside.sum())
    values, texture = picture.double().numpy(), patch.double().numpy()
    neighbours = np.zeros(int(inside.sum()))
    right_side = np.zeros((len(neighbours), len(values)))
    links = [_towards(step, inside, unknowns, values, texture, mixed, neighbours, right_side) for step in _STEPS]
    solved = splu(_matrix(neighbours, links)).solve(right_side)  # (unknowns, C)
    blended = picture.clone()
    blended[:, torch.from_numpy(inside)] = torch.from_numpy(solved.T).to(picture.dtype)
    return blended


_STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))


def _towards(
    step: tuple[int, int],
    inside: NDArray[np.bool_],
    unknowns: Counts,
    values: Floats,
    texture: Floats,
    mixed: bool,
    neighbours: Floats,
    right_side: Floats,
) -> tuple[Counts, Counts]:
    """Add what the neighbours in one direction contribute; the pairs of unknowns that are neighbours."""
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
    neighbours[own] += 1
    right_side[own] += wanted.T
    known = other < 0
    right_side[own[known]] += values[:, beyond[0][known], beyond[1][known]].T
    return own[~known], other[~known]


def _matrix(neighbours: Floats, links: list[tuple[Counts, Counts]]) -> csc_array:
    """Number of neighbours on the diagonal, minus one for every neighbour that is unknown too."""
    size = len(neighbours)
    diagonal = np.arange(size)
    rows = np.concatenate([diagonal, *(own for own, _ in links)])
    columns = np.concatenate([diagonal, *(other for _, other in links)])
    entries = np.concatenate([neighbours, -np.ones(len(rows) - size)])
    return csc_array(coo_array((entries, (rows, columns)), shape=(size, size)))
