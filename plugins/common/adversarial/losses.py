"""Adversarial losses.

A discriminator gives scores, of any shape, to real and to generated images; higher means more real. Each loss here
is a pair: the discriminator minimizes ``discriminator(real, fake)``, the generator ``generator(fake)``. All take bare
scores: no sigmoid, whose gradient vanishes for confident scores.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from restore.core.training_step import Terms


@dataclass(frozen=True)
class AdversarialLoss(ABC):
    """Base of the adversarial losses."""

    weight: float = 1.0
    """Factor of the generator's term. The terms of the discriminator have none: nothing else pulls at it."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Terms:
        """Terms ``d_loss_real`` and ``d_loss_fake`` from the scores of real and of detached generated images."""
        return {"d_loss_real": self.d_loss_real(real), "d_loss_fake": self.d_loss_fake(fake)}

    def generator(self, fake: Tensor) -> Terms:
        """Term ``adversarial`` from the scores of generated images."""
        return {"adversarial": self.weight * self.g_loss(fake)}

    def penalty(self, discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Terms:  # noqa: ARG002
        """Further discriminator terms that need the network itself and images (B, …), not scores; usually none."""
        return {}

    def score_stats(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Scores to log: ``d_real`` and ``d_fake``, the mean probabilities of being real, in [0, 1]."""
        return {"d_real": self.probability(real.detach()).mean(), "d_fake": self.probability(fake.detach()).mean()}

    @abstractmethod
    def probability(self, scores: Tensor) -> Tensor:
        """How likely images of these scores are real, in [0, 1], by the meaning that scores have in this loss."""

    @abstractmethod
    def d_loss_real(self, scores: Tensor) -> Tensor:
        """Discriminator loss of real images, a scalar."""

    @abstractmethod
    def d_loss_fake(self, scores: Tensor) -> Tensor:
        """Discriminator loss of generated images, a scalar."""

    @abstractmethod
    def g_loss(self, scores: Tensor) -> Tensor:
        """The generator's loss of its images before the weight, a scalar."""


@dataclass(frozen=True)
class Vanilla(AdversarialLoss):
    """Binary cross-entropy on logits; the generator's is the non-saturating one (Goodfellow et al., 2014)."""

    real_label: float = 1.0
    """Label of real images; 0.9 smooths it from one side (Salimans et al., 2016), against overconfidence."""

    @override
    def probability(self, scores: Tensor) -> Tensor:
        """The sigmoid."""
        return scores.sigmoid()

    @override
    def d_loss_real(self, scores: Tensor) -> Tensor:
        """Cross-entropy with ``real_label``."""
        return F.binary_cross_entropy_with_logits(scores, torch.full_like(scores, self.real_label))

    @override
    def d_loss_fake(self, scores: Tensor) -> Tensor:
        """Cross-entropy with zero."""
        return F.softplus(scores).mean()

    @override
    def g_loss(self, scores: Tensor) -> Tensor:
        """Cross-entropy with one."""
        return F.softplus(-scores).mean()


@dataclass(frozen=True)
class LeastSquares(AdversarialLoss):
    """Squared distance of the scores to labels (Mao et al., 2017, equation 9: real 1, generated 0, wanted 1)."""

    real_label: float = 1.0
    """Label of real images; 0.9 smooths it from one side."""

    @override
    def probability(self, scores: Tensor) -> Tensor:
        """Where they lie between the labels."""
        return scores.clamp(0, 1)

    @override
    def d_loss_real(self, scores: Tensor) -> Tensor:
        """Half the mean squared distance to ``real_label``."""
        return 0.5 * (scores - self.real_label).square().mean()

    @override
    def d_loss_fake(self, scores: Tensor) -> Tensor:
        """Half the mean squared distance to zero."""
        return 0.5 * scores.square().mean()

    @override
    def g_loss(self, scores: Tensor) -> Tensor:
        """Half the mean squared distance to one."""
        return 0.5 * (scores - 1).square().mean()


@dataclass(frozen=True)
class Hinge(AdversarialLoss):
    """Scores are pushed until they are one apart from zero (Lim and Ye, 2017)."""

    @override
    def probability(self, scores: Tensor) -> Tensor:
        """Where they lie between minus one and one, beyond which there is nothing left to learn."""
        return scores.clamp(-1, 1) / 2 + 0.5

    @override
    def d_loss_real(self, scores: Tensor) -> Tensor:
        """How far scores lie below one."""
        return F.relu(1 - scores).mean()

    @override
    def d_loss_fake(self, scores: Tensor) -> Tensor:
        """How far scores lie above minus one."""
        return F.relu(1 + scores).mean()

    @override
    def g_loss(self, scores: Tensor) -> Tensor:
        """The negative mean score."""
        return -scores.mean()


@dataclass(frozen=True)
class Wasserstein(AdversarialLoss):
    """Difference of mean scores, with a penalty that keeps the discriminator's slope at one (Gulrajani et al.,
    2017)."""

    penalty_weight: float = 10.0
    """Factor of the gradient penalty; zero leaves it out."""

    @override
    def score_stats(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """``distance``, the discriminator's estimate of the Wasserstein distance: its scores have no zero, hence no
        odds."""
        return {"distance": real.detach().mean() - fake.detach().mean()}

    @override
    def probability(self, scores: Tensor) -> Tensor:
        """Raises TypeError: a score means something only next to another."""
        raise TypeError("the scores of a Wasserstein critic are not probabilities")

    @override
    def d_loss_real(self, scores: Tensor) -> Tensor:
        """The negative mean score."""
        return -scores.mean()

    @override
    def d_loss_fake(self, scores: Tensor) -> Tensor:
        """The mean score."""
        return scores.mean()

    @override
    def g_loss(self, scores: Tensor) -> Tensor:
        """The negative mean score."""
        return -scores.mean()

    @override
    def penalty(self, discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Terms:
        """Term ``gradient_penalty``."""
        if self.penalty_weight == 0:
            return {}
        return {"gradient_penalty": self.penalty_weight * gradient_penalty(discriminator, real, fake)}


def gradient_penalty(discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """Mean of ``(‖∇x discriminator(x)‖ - 1)²`` at points x drawn between real and fake images (B, …); a scalar.

    Gulrajani et al., 2017, algorithm 1. The gradient of each sample's summed scores is taken with respect to that
    sample, so the discriminator must treat samples independently: no batch normalization. The mean over samples makes
    equal micro-batches add up to the penalty of the whole batch. Random numbers come from torch's global generator.
    """
    between = points_between(real, fake)
    return slope_penalty(discriminator(between).reshape(len(between), -1).sum(1), between)


def points_between(real: Tensor, fake: Tensor) -> Tensor:
    """Points (B, …) at a random share of the way from each fake sample to its real one, at which slopes are taken.

    Raises ValueError for images of two shapes.
    """
    if real.shape != fake.shape:
        raise ValueError(f"expected images of one shape, not {tuple(real.shape)} and {tuple(fake.shape)}")
    share = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device, dtype=real.dtype)
    return torch.lerp(fake.detach().to(real.dtype), real.detach(), share).requires_grad_()


def slope_penalty(scores: Tensor, points: Tensor) -> Tensor:
    """Mean of ``(‖∇x score(x)‖ - 1)²`` for one score (B,) of each point (B, …); a scalar.

    For discriminators that judge several batches in one call, as a discriminator that is spread over processes has to.
    """
    (slope,) = torch.autograd.grad(scores.sum(), points, create_graph=True)
    lengths: Tensor = torch.linalg.vector_norm(slope.flatten(1), dim=1)
    return (lengths - 1).square().mean()
