"""How adversarial training fails, told from logged numbers: one plain sentence for each failure.

Sentences hold limits, not measured values, so that a failure that lasts is told of once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from einops import rearrange, reduce
from torch import Tensor

from restore.core.dataset import Batch

SURE = 0.99
"""Mean probability from which on a discriminator is taken to be sure of real images."""
NEVER_FOOLED = 1e-3
"""Mean probability below which it is taken never to be fooled by a generated one."""
CHECKERBOARD = 8.0
"""How many times the energy of periodic detail in the targets is taken for a pattern."""
COLLAPSED = 0.15
"""Diversity, relative to that of the targets, below which samples are taken to be all alike."""
BLURRED = 0.1
"""Detail, relative to that of the targets, below which images are taken to be blurred."""
EXPLODED, VANISHED = 1e4, 1e-6
"""Norms of a gradient beyond which it is taken to have exploded or vanished."""
APART = 1e5
"""How many times the larger of two gradients may be as long as the smaller."""
GAP = 1.0
"""How many dB above the mean color the best kind of holes has to be before a kind below it counts as a gap."""


LABELED = ("vanilla", "least-squares")
"""Kinds of adversarial losses whose discriminator is told labels, so that ``real_label`` counts."""


@dataclass(frozen=True)
class Remedies:
    """What to do about each failure: the ends of the sentences, with the flags that a family has."""

    discriminator_won: str = "lower --adversarial.discriminator.lr, or pretrain longer"
    exploded: str = "lower its learning rate (lr), or clip the gradient (clip_norm)"
    vanished: str = "raise its learning rate (lr), or choose another loss with --adversarial.kind"
    apart: str = "bring --adversarial.generator.lr, --adversarial.discriminator.lr and the weights of losses together"
    collapsed: str = "lower --adversarial.weight, raise the weight of the pixel loss, or raise --batch-size"
    checkerboard: str = "train longer, lower --adversarial.weight, or raise the weight of the total variation"
    blurred: str = "train longer, or raise --adversarial.weight or --perceptual.weight"
    gap: str = "train on more such masks (--masks.kinds), or longer"


def gan_health(
    numbers: Mapping[str, float],
    remedies: Remedies | None = None,
    *,
    generator: str = "generator",
    discriminator: str = "discriminator",
    baseline: str = "mean",
) -> str | None:
    """Every failure that the numbers of a log line show, a line for each; None where all is well.

    Seen are ``d_real`` and ``d_fake``, mean probabilities that real and generated images are real;
    ``<optimizer>/gradient`` of the optimizers called ``generator`` and ``discriminator``; ``checkerboard``,
    ``diversity`` and ``sharpness`` of `measures`; and the metrics ``validation/psnr-<kind of masks>`` next to
    ``baseline/<baseline>/psnr-<kind>``. What is missing or not a number is not judged.
    """
    remedies = remedies or Remedies()
    found = [
        *_balance(numbers, remedies),
        *_gradients(numbers, remedies, generator, discriminator),
        *_images(numbers, remedies),
        *_gap(numbers, remedies, baseline),
    ]
    return "\n".join(found) or None


def _balance(numbers: Mapping[str, float], remedies: Remedies) -> Iterator[str]:
    if numbers.get("d_real", 0) >= SURE and numbers.get("d_fake", 1) <= NEVER_FOOLED:
        yield (
            f"the discriminator has won: it knows real images (above {SURE:g} sure) and is never fooled (below "
            f"{NEVER_FOOLED:g}), so the generator learns nothing from it; {remedies.discriminator_won}"
        )


def _gradients(numbers: Mapping[str, float], remedies: Remedies, generator: str, discriminator: str) -> Iterator[str]:
    norms = {name: numbers.get(f"{name}/gradient", math.nan) for name in (generator, discriminator)}
    for name, norm in norms.items():
        if norm > EXPLODED:
            yield f"the gradient of {name} explodes: it is longer than {EXPLODED:g}; {remedies.exploded}"
        elif norm < VANISHED:
            yield f"the gradient of {name} vanishes: it is shorter than {VANISHED:g}; {remedies.vanished}"
    shorter, longer = sorted(norms, key=lambda name: norms[name])
    if VANISHED <= norms[shorter] < norms[longer] / APART:
        yield (
            f"the gradient of {longer} is more than {APART:g} times as long as that of {shorter}, so one of the two "
            f"plays alone; {remedies.apart}"
        )


def _images(numbers: Mapping[str, float], remedies: Remedies) -> Iterator[str]:
    if numbers.get("checkerboard", 1) > CHECKERBOARD:
        yield (
            "generated images have a checkerboard: a pattern with the period of the network's strides, over "
            f"{CHECKERBOARD:g} times stronger than in photographs; {remedies.checkerboard}"
        )
    if numbers.get("diversity", 1) < COLLAPSED:
        yield (
            "mode collapse: generated images are all alike, they differ from each other less than "
            f"{COLLAPSED:g} times as much as their targets do; {remedies.collapsed}"
        )
    if numbers.get("sharpness", 1) < BLURRED:
        yield (
            f"generated images are blurred: they have less than {BLURRED:g} times the detail of their targets; "
            f"{remedies.blurred}"
        )


def _gap(numbers: Mapping[str, float], remedies: Remedies, baseline: str) -> Iterator[str]:
    """Kinds of masks differ in difficulty, so each is judged by what is gained over the baseline on the same holes."""
    before, plain = "validation/psnr-", f"baseline/{baseline}/psnr-"
    gains = {
        name.removeprefix(before): value - numbers.get(plain + name.removeprefix(before), math.nan)
        for name, value in numbers.items()
        if name.startswith(before)
    }
    gains = {kind: gain for kind, gain in gains.items() if not math.isnan(gain)}
    worse = sorted(kind for kind, gain in gains.items() if gain < 0)
    if worse and max(gains.values()) > GAP and numbers.get("progress", 1) >= 0.5:  # sooner, it has only not learned yet
        best = max(gains, key=lambda kind: gains[kind])
        yield (
            f"holes of the kind {', '.join(worse)} are filled worse than by the {baseline} color, although those of "
            f"the kind {best} are filled better: it has not learned all masks; {remedies.gap}"
        )


_UNDECIDED = 1e-2
"""Share of the targets' detail that noise alone may put on the period; below it nothing is told apart."""


@torch.no_grad()
def gan_measures(generated: Tensor, batch: Batch, period: int = 4) -> dict[str, Tensor]:
    """``checkerboard``, ``diversity`` and ``sharpness`` of generated images, in the batch's hole where it has one."""
    target, mask = batch["target"].float(), batch.get("mask")
    generated = generated.detach().float()
    where = torch.ones_like(target[:, :1]) if mask is None else mask.float()
    return {
        "checkerboard": checkerboard(generated, target, where, period),
        "diversity": diversity(moments(generated, where), moments(target, where)),
        "sharpness": sharpness(generated, target, where),
    }


def checkerboard(generated: Tensor, target: Tensor, where: Tensor, period: int = 4) -> Tensor:
    """How many times more detail repeats with a period in generated images than in targets, a scalar.

    Strided and transposed convolutions leave patterns of the period of their strides (Odena et al., 2016); a period of
    4 shows those of 2 as well. Both energies are taken relative to that of the targets' detail: beside it a pattern is
    seen or not, however blurred generated images are. See `periodic_energy`.
    """
    (pattern, _), (natural, detail) = (periodic_energy(images, where, period) for images in (generated, target))
    undecided = _UNDECIDED * detail + torch.finfo(detail.dtype).tiny
    return (pattern + undecided) / (natural + undecided)


def periodic_energy(images: Tensor, where: Tensor, period: int) -> tuple[Tensor, Tensor]:
    """Energy of detail at frequencies of k / period over the whole batch, and that of all detail; scalars.

    By Parseval's theorem that energy is the energy of the mean over all periods, so no spectrum has to be computed, and
    a hole of any shape will do. Height and width are cut to multiples of the period.
    """
    detail = _detail(images)
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


def moments(images: Tensor, where: Tensor) -> Tensor:
    """Mean and deviation of each channel inside the mask, (B, 2C); the same for images that look alike there."""
    weights = where.expand_as(images)
    counts = weights.flatten(2).sum(2).clamp(min=1)
    mean = (images * weights).flatten(2).sum(2) / counts
    spread = ((images - rearrange(mean, "b c -> b c 1 1")).square() * weights).flatten(2).sum(2) / counts
    return torch.cat([mean, spread.sqrt()], dim=1)


def sharpness(generated: Tensor, target: Tensor, where: Tensor) -> Tensor:
    """Amount of detail of generated images relative to that of targets, a scalar; blurred ones have less than 1."""
    amounts = [(_detail(images).square() * where).sum().sqrt() for images in (generated, target)]
    undecided = 1e-3 * where.sum().sqrt()
    return (amounts[0] + undecided) / (amounts[1] + undecided)


def _detail(images: Tensor) -> Tensor:
    """What each pixel differs by from the mean of its four neighbors; zero at the borders, which have not all."""
    detail = torch.zeros_like(images)
    middle = images[..., 1:-1, 1:-1]
    vertical = images[..., :-2, 1:-1] + images[..., 2:, 1:-1]
    horizontal = images[..., 1:-1, :-2] + images[..., 1:-1, 2:]
    detail[..., 1:-1, 1:-1] = middle - (vertical + horizontal) / 4
    return detail


def _mean(images: Tensor, weights: Tensor) -> Tensor:
    return (images * weights).sum((0, 2, 3), keepdim=True) / weights.sum((0, 2, 3), keepdim=True).clamp(min=1)
