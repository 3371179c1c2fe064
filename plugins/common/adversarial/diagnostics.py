"""How a game of generator and critic fails, told from logged numbers: one plain sentence for each failure.

Sentences hold limits, not measured values, so that a failure that lasts is told of once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SURE = 0.99
"""Mean probability from which on a critic is taken to be sure of real pictures."""
NEVER_FOOLED = 1e-3
"""Mean probability below which it is taken never to be fooled by a generated one."""
CHECKERBOARD = 8.0
"""How many times the energy of periodic detail in the targets is taken for a pattern."""
COLLAPSED = 0.15
"""Diversity, relative to that of the targets, below which samples are taken to be all alike."""
BLURRED = 0.1
"""Detail, relative to that of the targets, below which pictures are taken to be blurred."""
EXPLODED, VANISHED = 1e4, 1e-6
"""Norms of a gradient beyond which it is taken to have exploded or vanished."""
APART = 1e5
"""How many times the larger of two gradients may be as long as the smaller."""
GAP = 1.0
"""How many dB above the mean colour the best kind of holes has to be before a kind below it counts as a gap."""


LABELLED = ("vanilla", "least-squares")
"""Kinds of games whose critic is told labels, so that ``real_label`` counts."""


@dataclass(frozen=True)
class Remedies:
    """What to do about each failure: the ends of the sentences, with the flags that a family has."""

    discriminator_won: str = "lower --adversarial.discriminator.lr, or pretrain longer"
    exploded: str = "lower its learning rate (lr), or clip the gradient (clip_norm)"
    vanished: str = "raise its learning rate (lr), or choose another game with --adversarial.kind"
    apart: str = "bring --adversarial.generator.lr, --adversarial.discriminator.lr and the weights of losses together"
    collapsed: str = "lower --adversarial.weight, raise the weight of the pixel loss, or enlarge --batch-size"
    checkerboard: str = "train longer, lower --adversarial.weight, or raise the weight of the total variation"
    blurred: str = "train longer, or raise --adversarial.weight or --perceptual.weight"
    gap: str = "train on more such masks (--masks.kinds), or longer"


def game_health(
    numbers: Mapping[str, float],
    remedies: Remedies | None = None,
    *,
    generator: str = "generator",
    critic: str = "discriminator",
    baseline: str = "mean",
) -> str | None:
    """Every failure that the numbers of a log line show, a line for each; None where all is well.

    Seen are ``d_real`` and ``d_fake``, mean probabilities that real and generated pictures are real;
    ``<optimizer>/gradient`` of the optimizers called ``generator`` and ``critic``; ``checkerboard``, ``diversity`` and
    ``sharpness`` of `measures`; and the metrics ``validation/psnr-<kind of masks>`` next to
    ``baseline/<baseline>/psnr-<kind>``. What is missing or not a number is not judged.
    """
    remedies = remedies or Remedies()
    found = [
        *_balance(numbers, remedies),
        *_gradients(numbers, remedies, generator, critic),
        *_pictures(numbers, remedies),
        *_gap(numbers, remedies, baseline),
    ]
    return "\n".join(found) or None


def _balance(numbers: Mapping[str, float], remedies: Remedies) -> Iterator[str]:
    if numbers.get("d_real", 0) >= SURE and numbers.get("d_fake", 1) <= NEVER_FOOLED:
        yield (
            f"the discriminator has won: it knows real pictures (above {SURE:g} sure) and is never fooled (below "
            f"{NEVER_FOOLED:g}), so the generator learns nothing from it; {remedies.discriminator_won}"
        )


def _gradients(numbers: Mapping[str, float], remedies: Remedies, generator: str, critic: str) -> Iterator[str]:
    norms = {name: numbers.get(f"{name}/gradient", math.nan) for name in (generator, critic)}
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


def _pictures(numbers: Mapping[str, float], remedies: Remedies) -> Iterator[str]:
    if numbers.get("checkerboard", 1) > CHECKERBOARD:
        yield (
            "generated pictures have a checkerboard: a pattern with the period of the network's strides, over "
            f"{CHECKERBOARD:g} times stronger than in photographs; {remedies.checkerboard}"
        )
    if numbers.get("diversity", 1) < COLLAPSED:
        yield (
            "mode collapse: generated pictures are all alike, they differ from each other less than "
            f"{COLLAPSED:g} times as much as their targets do; {remedies.collapsed}"
        )
    if numbers.get("sharpness", 1) < BLURRED:
        yield (
            f"generated pictures are blurred: they have less than {BLURRED:g} times the detail of their targets; "
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
    if worse and max(gains.values()) > GAP and numbers.get("share", 1) >= 0.5:  # sooner, it has only not learned yet
        best = max(gains, key=lambda kind: gains[kind])
        yield (
            f"holes of the kind {', '.join(worse)} are filled worse than by the {baseline} colour, although those of "
            f"the kind {best} are filled better: it has not learned all masks; {remedies.gap}"
        )
