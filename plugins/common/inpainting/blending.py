"""Put what was made into the hole: sharply, faded, or without a seam."""

from __future__ import annotations

import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from restore.plugins.common.images.color import full_range_luma
from restore.plugins.common.inpainting.poisson import poisson_blended


def put_in(answer: Tensor, picture: Tensor, mask: Tensor, *, feather: int = 0, poisson: bool = False) -> Tensor:
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
        answer = full_range_luma(answer).expand_as(picture)
    answer = answer.clamp(0, 1)
    if poisson:
        host = (picture.cpu(), answer.cpu(), mask.cpu())
        answer = poisson_blended(*host).clamp(0, 1).to(picture.device, picture.dtype)
    if not feather:
        return torch.where(hole, answer, picture)
    share = faded(mask, feather)
    return torch.where(share > 0, picture + share * (answer - picture), picture)


def is_gray(picture: Tensor, hole: Tensor) -> bool:
    """Whether the three channels are the same outside the hole."""
    return not bool(((picture != picture[:1]) & ~hole).any())


def faded(mask: Tensor, pixels: int) -> Tensor:
    """How much of the answer is taken (1, H, W): one in the hole, falling to zero ``pixels`` beyond it."""
    distance = distance_transform_edt((mask[0] <= 0.5).cpu().numpy())
    share = 1 - torch.from_numpy(distance)[None] / (pixels + 1)
    return share.clamp(0, 1).to(mask.device, mask.dtype)
