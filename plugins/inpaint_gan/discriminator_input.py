"""What each kind of discriminator is shown, what it answers, and the adversarial losses of its scores."""

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
from restore.plugins.inpaint_gan.network_settings import DiscriminatorSettings
from restore.plugins.inpaint_gan.progressive import cut, local_boxes
from restore.plugins.inpaint_gan.settings import AdversarialSettings


@dataclass(frozen=True)
class DiscriminatorOutput:
    """What a discriminator says of a batch of images."""

    maps: Sequence[Tensor]
    """Scores (B, …): one tensor for each resolution, or for the hole and the image."""
    features: Sequence[Tensor] = field(default=())
    """What its layers answered, for feature matching."""


@dataclass(frozen=True)
class DiscriminatorInput:
    """Shows images to a discriminator in one call, however many batches: a network may be called only once a step."""

    settings: DiscriminatorSettings

    def __call__(self, discriminator: nn.Module, batch: Batch, *batches: Tensor) -> list[DiscriminatorOutput]:
        """An output for each of ``batches`` (B, 3, H, W) in [0, 1], all with the holes of ``batch``.

        They pass through together: batch normalization of each by its own statistics would show in one loss what it
        hides in the other.
        """
        views = [self._view(images, batch["mask"]) for images in batches]
        inputs = [torch.cat(parts) for parts in zip(*views, strict=True)]
        scores, features = discriminator(*inputs, features=True)
        maps = [scores] if isinstance(scores, Tensor) else list(scores)
        count = len(batches)
        return [
            DiscriminatorOutput([m.chunk(count)[k] for m in maps], [f.chunk(count)[k] for f in features])
            for k in range(count)
        ]

    def _view(self, images: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        shown = 2 * images - 1
        if self.settings.kind == "local-global":
            side = shown.shape[-1] // 2
            return cut(shown, local_boxes(mask, side), side), shown
        return (torch.cat([shown, mask.to(shown.dtype)], dim=1),) if self.settings.sees_mask else (shown,)


@dataclass(frozen=True)
class GANLoss:
    """An adversarial loss over every map of scores: each has the same say."""

    loss: AdversarialLoss
    penalty_weight: float = 0.0
    """Factor of the gradient penalty; zero leaves it out."""

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Terms:
        """Terms ``d_loss_real`` and ``d_loss_fake``."""
        return self._mean([self.loss.discriminator(r, f) for r, f in zip(real.maps, fake.maps, strict=True)])

    def generator(self, fake: DiscriminatorOutput) -> Terms:
        """Term ``adversarial``."""
        return self._mean([self.loss.generator(scores) for scores in fake.maps])

    def penalty(self, between: DiscriminatorOutput, points: Tensor) -> Terms:
        """Term ``gradient_penalty`` from the output for ``points``: the mean score of each map has slope one."""
        slopes = [slope_penalty(scores.flatten(1).mean(1), points) for scores in between.maps]
        return {"gradient_penalty": self.penalty_weight * torch.stack(slopes).mean()}

    def score_stats(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Terms:
        """What to log of the scores; see `AdversarialLoss.score_stats`."""
        return self._mean([self.loss.score_stats(r, f) for r, f in zip(real.maps, fake.maps, strict=True)])

    def _mean(self, terms: Sequence[Terms]) -> dict[str, Tensor]:
        return {name: torch.stack([each[name] for each in terms]).mean() for name in terms[0]}


def gan_loss(settings: AdversarialSettings) -> GANLoss:
    """The adversarial loss that settings describe."""
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
    """The discriminator's loss of real and detached generated images (B, 3, H, W), and what to log of its scores.

    ``discriminate`` gives outputs for batches of images.
    """
    if not adversarial.penalty_weight:
        of_real, of_fake = discriminate(real, fake)
        return adversarial.discriminator(of_real, of_fake), dict(adversarial.score_stats(of_real, of_fake))
    points = points_between(real, fake)
    of_real, of_fake, of_points = discriminate(real, fake, points)
    terms = {**adversarial.discriminator(of_real, of_fake), **adversarial.penalty(of_points, points)}
    return terms, dict(adversarial.score_stats(of_real, of_fake))
