"""Adversarial losses.

A discriminator gives scores of any shape to real and to generated images; a higher score means more real. Each loss is
a pair: the discriminator minimizes ``discriminator(real, fake)``, the generator ``generator(fake)``. All losses take
raw scores without a sigmoid, whose gradient vanishes for confident scores.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from restore.core.training_step import Terms


@dataclass(frozen=True)
class AdversarialLoss(ABC):
    """Base of the adversarial losses."""

    weight: float = 1.0
    """Weight of the generator's term. The discriminator has no other losses, so its terms need no weight."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Terms:
        """Return the terms ``d_loss_real`` and ``d_loss_fake`` of the scores of real and detached generated images."""
        return {"d_loss_real": self.d_loss_real(real), "d_loss_fake": self.d_loss_fake(fake)}

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Terms:  # noqa: ARG002 - for relativistic losses
        """Return the term ``adversarial`` of the scores of generated images; relativistic losses also need ``real``."""
        return {"adversarial": self.weight * self.g_loss(fake)}

    def penalty(self, discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Terms:  # noqa: ARG002
        """Return further discriminator terms that need the network and images (B, …); most losses have none."""
        return {}

    def score_stats(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Return values to log: ``d_real`` and ``d_fake``, the mean probabilities of being real, in [0, 1]."""
        return {"d_real": self.probability(real.detach()).mean(), "d_fake": self.probability(fake.detach()).mean()}

    @abstractmethod
    def probability(self, scores: Tensor) -> Tensor:
        """Return the probability, in [0, 1], that images with these scores are real, as the loss interprets scores."""

    @abstractmethod
    def d_loss_real(self, scores: Tensor) -> Tensor:
        """Return the discriminator loss of real images, a scalar."""

    @abstractmethod
    def d_loss_fake(self, scores: Tensor) -> Tensor:
        """Return the discriminator loss of generated images, a scalar."""

    @abstractmethod
    def g_loss(self, scores: Tensor) -> Tensor:
        """Return the generator's loss of its images before the weight, a scalar."""


@dataclass(frozen=True)
class Vanilla(AdversarialLoss):
    """Binary cross-entropy on logits, non-saturating for the generator (Goodfellow et al., 2014)."""

    real_label: float = 1.0
    """Label of real images; 0.9 is one-sided label smoothing (Salimans et al., 2016), against overconfidence."""

    @override
    def probability(self, scores: Tensor) -> Tensor:
        return scores.sigmoid()

    @override
    def d_loss_real(self, scores: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(scores, torch.full_like(scores, self.real_label))

    @override
    def d_loss_fake(self, scores: Tensor) -> Tensor:
        return F.softplus(scores).mean()

    @override
    def g_loss(self, scores: Tensor) -> Tensor:
        return F.softplus(-scores).mean()


@dataclass(frozen=True)
class LeastSquares(AdversarialLoss):
    """Squared distance of scores to labels (Mao et al., 2017, equation 9: real 1, generated 0, target 1)."""

    real_label: float = 1.0
    """Label of real images; 0.9 is one-sided label smoothing."""

    @override
    def probability(self, scores: Tensor) -> Tensor:
        return scores.clamp(0, 1)

    @override
    def d_loss_real(self, scores: Tensor) -> Tensor:
        return 0.5 * (scores - self.real_label).square().mean()

    @override
    def d_loss_fake(self, scores: Tensor) -> Tensor:
        return 0.5 * scores.square().mean()

    @override
    def g_loss(self, scores: Tensor) -> Tensor:
        return 0.5 * (scores - 1).square().mean()


@dataclass(frozen=True)
class Hinge(AdversarialLoss):
    """Hinge loss: scores are pushed until they are at least 1 away from zero (Lim and Ye, 2017)."""

    @override
    def probability(self, scores: Tensor) -> Tensor:
        return scores.clamp(-1, 1) / 2 + 0.5

    @override
    def d_loss_real(self, scores: Tensor) -> Tensor:
        return F.relu(1 - scores).mean()

    @override
    def d_loss_fake(self, scores: Tensor) -> Tensor:
        return F.relu(1 + scores).mean()

    @override
    def g_loss(self, scores: Tensor) -> Tensor:
        return -scores.mean()


@dataclass(frozen=True)
class Wasserstein(AdversarialLoss):
    """Difference of mean scores, with a gradient penalty (Gulrajani et al., 2017)."""

    penalty_weight: float = 10.0
    """Weight of the gradient penalty; 0 disables it."""

    @override
    def score_stats(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Return ``distance``, the estimated Wasserstein distance: these scores have no zero and so no probability."""
        return {"distance": real.detach().mean() - fake.detach().mean()}

    @override
    def probability(self, scores: Tensor) -> Tensor:
        """Raise TypeError: these scores are not probabilities."""
        raise TypeError("the scores of a Wasserstein critic are not probabilities")

    @override
    def d_loss_real(self, scores: Tensor) -> Tensor:
        return -scores.mean()

    @override
    def d_loss_fake(self, scores: Tensor) -> Tensor:
        return scores.mean()

    @override
    def g_loss(self, scores: Tensor) -> Tensor:
        return -scores.mean()

    @override
    def penalty(self, discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Terms:
        if self.penalty_weight == 0:
            return {}
        return {"gradient_penalty": self.penalty_weight * gradient_penalty(discriminator, real, fake)}


@dataclass(frozen=True)
class Relativistic(AdversarialLoss):
    """Compare scores: is a real image more real than generated ones (Jolicoeur-Martineau, 2018)?

    A score counts relative to the mean score of the other kind (``average``, as in ESRGAN, Wang et al., 2018, equations
    1 and 2), or to the score of the image of the other kind at the same place in the batch (``paired``). The
    generator's loss is that of the discriminator with real and generated images exchanged, so it also learns from real
    images. Both losses are halved, as in BasicSR. The mean is that of the images that one call scores: with several
    processes or micro-batches each has its own.
    """

    base: Vanilla | Hinge = Vanilla()
    """The loss of relative scores; its weight has no effect."""
    average: bool = True
    """Whether scores are relative to the mean of the other kind, or else to one of them."""

    @override
    def discriminator(self, real: Tensor, fake: Tensor) -> Terms:
        relative = self._relative(real, fake), self._relative(fake, real)
        return {"d_loss_real": self.d_loss_real(relative[0]), "d_loss_fake": self.d_loss_fake(relative[1])}

    @override
    def generator(self, fake: Tensor, real: Tensor | None = None) -> Terms:
        """Return the term ``adversarial``. Raises ValueError without the scores of real images."""
        if real is None:
            raise ValueError("a relativistic loss needs the scores of real images")
        relative = self._relative(fake, real), self._relative(real, fake)
        return {"adversarial": self.weight * (self.g_loss(relative[0]) + self.d_loss_fake(relative[1]))}

    @override
    def score_stats(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        real, fake = real.detach(), fake.detach()
        return super().score_stats(self._relative(real, fake), self._relative(fake, real))

    @override
    def probability(self, scores: Tensor) -> Tensor:
        """Return the probability that an image is more real than the other kind, for relative scores."""
        return self.base.probability(scores)

    @override
    def d_loss_real(self, scores: Tensor) -> Tensor:
        return 0.5 * self.base.d_loss_real(scores)

    @override
    def d_loss_fake(self, scores: Tensor) -> Tensor:
        return 0.5 * self.base.d_loss_fake(scores)

    @override
    def g_loss(self, scores: Tensor) -> Tensor:
        # label smoothing is for discriminators
        certain = replace(self.base, real_label=1.0) if isinstance(self.base, Vanilla) else self.base
        return 0.5 * certain.d_loss_real(scores)

    def _relative(self, scores: Tensor, others: Tensor) -> Tensor:
        return scores - (others.mean() if self.average else others)


def real_gradient_penalty(scores: Tensor, real: Tensor) -> Tensor:
    """Return R1: the mean of ``‖∇x score(x)‖² / 2`` over real images (Mescheder et al., 2018, equation 9), a scalar.

    An image whose scores are a map has their mean as its score, so that the penalty does not depend on the size. The
    gradient of the summed scores is taken, so the discriminator must treat samples independently: no batch
    normalization.

    Args:
        scores: scores (B, …) of the real images.
        real: the images (B, …), which require a gradient and were scored with the graph kept.
    """
    (slope,) = torch.autograd.grad(scores.reshape(len(scores), -1).mean(1).sum(), real, create_graph=True)
    return slope.square().flatten(1).sum(1).mean() / 2


def gradient_penalty(discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """Return the mean of ``(‖∇x discriminator(x)‖ - 1)²`` at random points x between real and fake images (B, …).

    Gulrajani et al., 2017, algorithm 1. The gradient of the summed scores of a sample is taken with respect to that
    sample, so the discriminator must treat samples independently: no batch normalization. The mean over samples makes
    equal micro-batches add up to the penalty of the whole batch. Random numbers come from torch's global generator.
    """
    between = points_between(real, fake)
    return slope_penalty(discriminator(between).reshape(len(between), -1).sum(1), between)


def points_between(real: Tensor, fake: Tensor) -> Tensor:
    """Return random points (B, …) on the line from each fake sample to its real one, with gradients enabled.

    Raises ValueError if the shapes differ.
    """
    if real.shape != fake.shape:
        raise ValueError(f"expected images of one shape, not {tuple(real.shape)} and {tuple(fake.shape)}")
    share = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device, dtype=real.dtype)
    return torch.lerp(fake.detach().to(real.dtype), real.detach(), share).requires_grad_()


def slope_penalty(scores: Tensor, points: Tensor) -> Tensor:
    """Return the mean of ``(‖∇x score(x)‖ - 1)²`` for one score (B,) per point (B, …), a scalar.

    It is for discriminators that score several batches in one call, as a discriminator on several processes must.
    """
    (slope,) = torch.autograd.grad(scores.sum(), points, create_graph=True)
    lengths: Tensor = torch.linalg.vector_norm(slope.flatten(1), dim=1)
    return (lengths - 1).square().mean()
