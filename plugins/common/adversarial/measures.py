"""Numbers by which a game of generator and critic shows whether it goes well, to be logged by a training step.

Each compares generated pictures (B, C, H, W) with the targets that they stand for, and is 1 where they are alike. A
mask (B, 1, H, W), one in the hole, restricts the comparison to what was really generated.
"""

from __future__ import annotations

import torch
from einops import rearrange, reduce
from torch import Tensor

from restore.core.steps import Batch

_UNDECIDED = 1e-2
"""Share of the targets' detail that chance alone may put on the period; below it nothing is told apart."""


@torch.no_grad()
def game_measures(generated: Tensor, batch: Batch, period: int = 4) -> dict[str, Tensor]:
    """``checkerboard``, ``diversity`` and ``sharpness`` of generated pictures, in the batch's hole where it has one."""
    target, mask = batch["target"].float(), batch.get("mask")
    generated = generated.detach().float()
    where = torch.ones_like(target[:, :1]) if mask is None else mask.float()
    return {
        "checkerboard": checkerboard(generated, target, where, period),
        "diversity": diversity(moments(generated, where), moments(target, where)),
        "sharpness": sharpness(generated, target, where),
    }


def checkerboard(generated: Tensor, target: Tensor, where: Tensor, period: int = 4) -> Tensor:
    """How many times more detail repeats with a period in generated pictures than in targets, a scalar.

    Strided and transposed convolutions leave patterns of the period of their strides (Odena et al., 2016); a period of
    4 shows those of 2 as well. Both energies are taken relative to that of the targets' detail: beside it a pattern is
    seen or not, however blurred generated pictures are. See `periodic_energy`.
    """
    (pattern, _), (natural, detail) = (periodic_energy(pictures, where, period) for pictures in (generated, target))
    undecided = _UNDECIDED * detail + torch.finfo(detail.dtype).tiny
    return (pattern + undecided) / (natural + undecided)


def periodic_energy(pictures: Tensor, where: Tensor, period: int) -> tuple[Tensor, Tensor]:
    """Energy of detail at frequencies of k / period over the whole batch, and that of all detail; scalars.

    By Parseval's theorem that energy is the energy of the mean over all periods, so no spectrum has to be computed, and
    a hole of any shape will do. Height and width are cut to multiples of the period.
    """
    detail = _detail(pictures)
    height, width = (side - side % period for side in detail.shape[-2:])
    if not height or not width:
        return detail.new_zeros(()), detail.new_zeros(())
    weights = where[..., :height, :width].expand(-1, detail.shape[1], -1, -1)
    detail = (detail[..., :height, :width] - _mean(detail[..., :height, :width], weights)) * weights
    pattern = "b c (y p) (x q) -> c p q"
    counts = reduce(weights, pattern, "sum", p=period, q=period)
    sums = reduce(detail, pattern, "sum", p=period, q=period)
    return (sums.square() / counts.clamp(min=1)).sum(), detail.square().sum()


def diversity(generated: Tensor, target: Tensor) -> Tensor:
    """How far generated samples differ from each other, relative to how far targets do, a scalar.

    Both are vectors (B, K), such as `moments` or pooled features: the square root of the ratio of their variances over
    the batch, summed over K. A batch of one, or of equal targets, says nothing and gives 1.
    """
    spreads = [vectors.float().var(0, correction=0).sum().sqrt() for vectors in (generated, target)]
    undecided = 1e-3
    return (spreads[0] + undecided) / (spreads[1] + undecided)


def moments(pictures: Tensor, where: Tensor) -> Tensor:
    """Mean and deviation of each channel inside the mask, (B, 2C); the same for pictures that look alike there."""
    weights = where.expand_as(pictures)
    counts = weights.flatten(2).sum(2).clamp(min=1)
    mean = (pictures * weights).flatten(2).sum(2) / counts
    spread = ((pictures - rearrange(mean, "b c -> b c 1 1")).square() * weights).flatten(2).sum(2) / counts
    return torch.cat([mean, spread.sqrt()], dim=1)


def sharpness(generated: Tensor, target: Tensor, where: Tensor) -> Tensor:
    """Amount of detail of generated pictures relative to that of targets, a scalar; blurred ones have less than 1."""
    amounts = [(_detail(pictures).square() * where).sum().sqrt() for pictures in (generated, target)]
    undecided = 1e-3 * where.sum().sqrt()
    return (amounts[0] + undecided) / (amounts[1] + undecided)


def _detail(pictures: Tensor) -> Tensor:
    """What each pixel differs by from the mean of its four neighbours; zero at the borders, which have not all."""
    detail = torch.zeros_like(pictures)
    middle = pictures[..., 1:-1, 1:-1]
    vertical = pictures[..., :-2, 1:-1] + pictures[..., 2:, 1:-1]
    horizontal = pictures[..., 1:-1, :-2] + pictures[..., 1:-1, 2:]
    detail[..., 1:-1, 1:-1] = middle - (vertical + horizontal) / 4
    return detail


def _mean(pictures: Tensor, weights: Tensor) -> Tensor:
    return (pictures * weights).sum((0, 2, 3), keepdim=True) / weights.sum((0, 2, 3), keepdim=True).clamp(min=1)
