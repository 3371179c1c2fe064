"""Detect common failures of GAN training from logged numbers: one warning per failure.

Warnings contain limits, not measured values, so that a lasting failure is reported once.
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
"""Mean probability of real images from which the discriminator counts as certain."""
NEVER_FOOLED = 1e-3
"""Mean probability of generated images below which the discriminator counts as never fooled."""
CHECKERBOARD = 8.0
"""Energy of periodic detail, relative to the targets', above which there is a checkerboard."""
COLLAPSED = 0.15
"""Diversity, relative to the targets', below which the generator has collapsed."""
BLURRED = 0.1
"""Detail, relative to the targets', below which images are blurred."""
EXPLODED, VANISHED = 1e4, 1e-6
"""Gradient norms beyond which a gradient has exploded or vanished."""
APART = 1e5
"""Largest accepted ratio of the two gradient norms."""
GAP = 1.0
"""Gain in dB over the mean color that the best kind of masks needs before a kind below the mean color is reported."""


LABELED = ("vanilla", "least-squares")
"""Adversarial losses with labels, to which ``real_label`` applies."""


@dataclass(frozen=True)
class Remedies:
    """What to do about each failure, with the flags of the family; the second half of each warning."""

    discriminator_won: str = "lower --adversarial.discriminator.lr, or pretrain longer"
    exploded: str = "lower its learning rate (lr), or clip the gradient (clip_norm)"
    vanished: str = "raise its learning rate (lr), or choose another loss with --adversarial.kind"
    apart: str = "adjust --adversarial.generator.lr, --adversarial.discriminator.lr or the weights of the losses"
    collapsed: str = "lower --adversarial.weight, raise the weight of the pixel loss, or raise --batch-size"
    checkerboard: str = "train longer, lower --adversarial.weight, or raise the weight of the total variation"
    blurred: str = "train longer, or raise --adversarial.weight or --perceptual.weight"
    gap: str = "train longer, or on more masks of this kind (--masks.kinds)"


def gan_health(
    numbers: Mapping[str, float],
    remedies: Remedies | None = None,
    *,
    generator: str = "generator",
    discriminator: str = "discriminator",
    baseline: str = "mean",
) -> str | None:
    """Return one warning line per failure that the logged numbers show, or None.

    The inputs are ``d_real`` and ``d_fake`` (mean probability of being real, for real and for generated images),
    ``<optimizer>/gradient``, the results of `gan_measures`, and ``validation/psnr-<kind of masks>`` next to
    ``baseline/<baseline>/psnr-<kind>``. Missing values and NaN are skipped.

    Args:
        numbers: The numbers of one log line.
        remedies: What to do about each failure; default: the flags that families share.
        generator: Name of the generator's optimizer.
        discriminator: Name of the discriminator's optimizer.
        baseline: The baseline that each kind of masks is compared with.
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
            f"the discriminator has won: it rates real images above {SURE:g} and generated images below "
            f"{NEVER_FOOLED:g}, so the generator no longer learns from it; {remedies.discriminator_won}"
        )


def _gradients(numbers: Mapping[str, float], remedies: Remedies, generator: str, discriminator: str) -> Iterator[str]:
    norms = {name: numbers.get(f"{name}/gradient", math.nan) for name in (generator, discriminator)}
    for name, norm in norms.items():
        if norm > EXPLODED:
            yield f"the gradient of {name} explodes: its norm is above {EXPLODED:g}; {remedies.exploded}"
        elif norm < VANISHED:
            yield f"the gradient of {name} vanishes: its norm is below {VANISHED:g}; {remedies.vanished}"
    shorter, longer = sorted(norms, key=lambda name: norms[name])
    if VANISHED <= norms[shorter] < norms[longer] / APART:
        yield (
            f"the gradient of {longer} is more than {APART:g} times larger than that of {shorter}, so only one of the "
            f"two networks learns; {remedies.apart}"
        )


def _images(numbers: Mapping[str, float], remedies: Remedies) -> Iterator[str]:
    if numbers.get("checkerboard", 1) > CHECKERBOARD:
        yield (
            "checkerboard artifacts: generated images contain a pattern with the period of the network's strides, over "
            f"{CHECKERBOARD:g} times stronger than in the targets; {remedies.checkerboard}"
        )
    if numbers.get("diversity", 1) < COLLAPSED:
        yield (
            f"mode collapse: generated images differ from each other less than {COLLAPSED:g} times as much as their "
            f"targets do; {remedies.collapsed}"
        )
    if numbers.get("sharpness", 1) < BLURRED:
        yield (
            f"generated images are blurred: they have less than {BLURRED:g} times the detail of their targets; "
            f"{remedies.blurred}"
        )


def _gap(numbers: Mapping[str, float], remedies: Remedies, baseline: str) -> Iterator[str]:
    """Kinds of masks differ in difficulty, so each is compared with the baseline on the same masks."""
    before, plain = "validation/psnr-", f"baseline/{baseline}/psnr-"
    gains = {
        name.removeprefix(before): value - numbers.get(plain + name.removeprefix(before), math.nan)
        for name, value in numbers.items()
        if name.startswith(before)
    }
    gains = {kind: gain for kind, gain in gains.items() if not math.isnan(gain)}
    worse = sorted(kind for kind, gain in gains.items() if gain < 0)
    if worse and max(gains.values()) > GAP and numbers.get("progress", 1) >= 0.5:  # earlier, training has just begun
        best = max(gains, key=lambda kind: gains[kind])
        yield (
            f"masks of kind {', '.join(worse)} are filled worse than by the {baseline} color, while kind {best} is "
            f"filled better: the generator has not learned all kinds; {remedies.gap}"
        )


_UNDECIDED = 1e-2
"""Fraction of the targets' detail that noise alone may put on the period; smaller values are not distinguished."""


@torch.no_grad()
def gan_measures(generated: Tensor, batch: Batch, period: int = 4) -> dict[str, Tensor]:
    """Return ``checkerboard``, ``diversity`` and ``sharpness`` of generated images, inside the batch's mask if any."""
    target, mask = batch["target"].float(), batch.get("mask")
    generated = generated.detach().float()
    where = torch.ones_like(target[:, :1]) if mask is None else mask.float()
    return {
        "checkerboard": checkerboard(generated, target, where, period),
        "diversity": diversity(moments(generated, where), moments(target, where)),
        "sharpness": sharpness(generated, target, where),
    }


def checkerboard(generated: Tensor, target: Tensor, where: Tensor, period: int = 4) -> Tensor:
    """Return the energy of periodic detail in generated images relative to the targets, a scalar.

    Strided and transposed convolutions leave patterns with the period of their strides (Odena et al., 2016); a period
    of 4 includes those of 2. Both energies are relative to the targets' detail, so the value does not depend on how
    blurred the generated images are. See `periodic_energy`.
    """
    (pattern, _), (natural, detail) = (periodic_energy(images, where, period) for images in (generated, target))
    undecided = _UNDECIDED * detail + torch.finfo(detail.dtype).tiny
    return (pattern + undecided) / (natural + undecided)


def periodic_energy(images: Tensor, where: Tensor, period: int) -> tuple[Tensor, Tensor]:
    """Return the energy of detail at the frequencies k / period over the whole batch, and of all detail; scalars.

    By Parseval's theorem the first is the energy of the mean over all periods, so no spectrum has to be computed and
    the hole may have any shape. Height and width are cropped to multiples of the period.
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
    """Return the spread of generated samples relative to the spread of the targets, a scalar.

    Both are vectors (B, K), such as `moments` or pooled features. The result is the square root of the ratio of their
    variances over the batch, summed over K; it is 1 for a batch of one and for equal targets.
    """
    spreads = [vectors.float().var(0, correction=0).sum().sqrt() for vectors in (generated, target)]
    undecided = 1e-3
    return (spreads[0] + undecided) / (spreads[1] + undecided)


def moments(images: Tensor, where: Tensor) -> Tensor:
    """Return mean and standard deviation of each channel inside the mask, (B, 2C)."""
    weights = where.expand_as(images)
    counts = weights.flatten(2).sum(2).clamp(min=1)
    mean = (images * weights).flatten(2).sum(2) / counts
    spread = ((images - rearrange(mean, "b c -> b c 1 1")).square() * weights).flatten(2).sum(2) / counts
    return torch.cat([mean, spread.sqrt()], dim=1)


def sharpness(generated: Tensor, target: Tensor, where: Tensor) -> Tensor:
    """Return the amount of detail in generated images relative to the targets, a scalar; blurred images are below 1."""
    amounts = [(_detail(images).square() * where).sum().sqrt() for images in (generated, target)]
    undecided = 1e-3 * where.sum().sqrt()
    return (amounts[0] + undecided) / (amounts[1] + undecided)


def _detail(images: Tensor) -> Tensor:
    """Return the difference of each pixel from the mean of its four neighbors; zero at the borders."""
    detail = torch.zeros_like(images)
    middle = images[..., 1:-1, 1:-1]
    vertical = images[..., :-2, 1:-1] + images[..., 2:, 1:-1]
    horizontal = images[..., 1:-1, :-2] + images[..., 1:-1, 2:]
    detail[..., 1:-1, 1:-1] = middle - (vertical + horizontal) / 4
    return detail


def _mean(images: Tensor, weights: Tensor) -> Tensor:
    return (images * weights).sum((0, 2, 3), keepdim=True) / weights.sum((0, 2, 3), keepdim=True).clamp(min=1)
