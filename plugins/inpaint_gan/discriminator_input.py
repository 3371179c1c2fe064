"""Inputs and outputs of the discriminators, and the adversarial losses of their scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from restore.core.dataset import Batch
from restore.core.training_step import Terms
from restore.plugins.common.adversarial.losses import (
    AdversarialLoss,
    Hinge,
    LeastSquares,
    Vanilla,
    Wasserstein,
    points_between,
    slope_penalty,
)
from restore.plugins.inpaint_gan.settings import AdversarialSettings


@dataclass(frozen=True)
class DiscriminatorOutput:
    """Output of a discriminator for a batch of images."""

    maps: Sequence[Tensor]
    """Scores (B, …): one tensor per resolution, or one for the hole and one for the image."""
    features: Sequence[Tensor] = field(default=())
    """Features of its layers, for feature matching."""


@dataclass(frozen=True)
class DiscriminatorInput:
    """Passes several batches of images through a discriminator in one call, because a step may call it only once."""

    masks: bool
    """Whether the discriminator is given the masks of the images."""
    features: bool
    """Whether its features are needed."""

    def __call__(self, discriminator: nn.Module, batch: Batch, *batches: Tensor) -> list[DiscriminatorOutput]:
        """Return an output for each of ``batches`` (B, 3, H, W) in [0, 1], all with the masks of ``batch``.

        They pass through together. With statistics of its own for each batch, batch normalization would hide
        differences between batches.
        """
        count = len(batches)
        inputs = [torch.cat(batches), *([torch.cat([batch["mask"]] * count)] if self.masks else [])]
        scores, features = discriminator(*inputs, features=True) if self.features else (discriminator(*inputs), ())
        maps = [scores] if isinstance(scores, Tensor) else list(scores)
        return [
            DiscriminatorOutput([m.chunk(count)[k] for m in maps], [f.chunk(count)[k] for f in features])
            for k in range(count)
        ]


@dataclass(frozen=True)
class GANLoss:
    """An adversarial loss, averaged over all score maps."""

    loss: AdversarialLoss
    penalty_weight: float = 0.0
    """Weight of the gradient penalty; 0 disables it."""

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Terms:
        """Return the terms ``d_loss_real`` and ``d_loss_fake``."""
        return self._mean([self.loss.discriminator(r, f) for r, f in zip(real.maps, fake.maps, strict=True)])

    def generator(self, fake: DiscriminatorOutput) -> Terms:
        """Return the term ``adversarial``."""
        return self._mean([self.loss.generator(scores) for scores in fake.maps])

    def penalty(self, between: DiscriminatorOutput, points: Tensor) -> Terms:
        """Return the term ``gradient_penalty`` of the output for ``points``, with the mean score of each map."""
        slopes = [slope_penalty(scores.flatten(1).mean(1), points) for scores in between.maps]
        return {"gradient_penalty": self.penalty_weight * torch.stack(slopes).mean()}

    def score_stats(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Terms:
        """Return statistics of the scores to log; see `AdversarialLoss.score_stats`."""
        return self._mean([self.loss.score_stats(r, f) for r, f in zip(real.maps, fake.maps, strict=True)])

    def _mean(self, terms: Sequence[Terms]) -> dict[str, Tensor]:
        return {name: torch.stack([each[name] for each in terms]).mean() for name in terms[0]}


def gan_loss(settings: AdversarialSettings) -> GANLoss:
    """Return the adversarial loss that the settings describe."""
    match settings.kind:
        case "vanilla":
            return GANLoss(Vanilla(settings.weight, settings.real_label))
        case "least-squares":
            return GANLoss(LeastSquares(settings.weight, settings.real_label))
        case "hinge":
            return GANLoss(Hinge(settings.weight))
        case "wasserstein":
            return GANLoss(Wasserstein(settings.weight), settings.penalty)


def discriminator_terms(
    adversarial: GANLoss, discriminate: Callable[..., list[DiscriminatorOutput]], real: Tensor, fake: Tensor
) -> tuple[Terms, dict[str, Tensor]]:
    """Return the discriminator's loss terms and the statistics of its scores to log.

    Args:
        adversarial: the loss.
        discriminate: returns the outputs of batches of images.
        real: real images (B, 3, H, W).
        fake: detached generated images (B, 3, H, W).
    """
    if not adversarial.penalty_weight:
        of_real, of_fake = discriminate(real, fake)
        return adversarial.discriminator(of_real, of_fake), dict(adversarial.score_stats(of_real, of_fake))
    points = points_between(real, fake)
    of_real, of_fake, of_points = discriminate(real, fake, points)
    terms = {**adversarial.discriminator(of_real, of_fake), **adversarial.penalty(of_points, points)}
    return terms, dict(adversarial.score_stats(of_real, of_fake))
