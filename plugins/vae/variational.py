"""Objective of variational autoencoders, and bounds on the likelihood. All values are in nats.

An image x has a code z with the prior p(z) = N(0, I), the likelihood p(x | z), and the approximate posterior q(z | x) =
N(mean, exp(log_variance)) with independent components (Kingma and Welling, 2014).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from restore.core.runtime.precision import at_least_float32


class Posterior(NamedTuple):
    """q(z | x) of each image: two tensors (B, latent, ...) of the same shape."""

    mean: Tensor
    log_variance: Tensor

    @classmethod
    def of(cls, encoded: Tensor) -> Posterior:
        """Read (B, 2 * latent, ...): means, then log-variances plus 4, clamped so that exp() cannot overflow.

        A new encoder returns values around zero, so its posterior has little noise. With noise as wide as the prior, a
        decoder learns only coarse structure.
        """
        precise = at_least_float32(encoded)  # half precision would round KL away
        mean, log_variance = precise.chunk(2, dim=1)
        return cls(mean, (log_variance - 4).clamp(-12, 8))

    def draw(self, noise: Tensor) -> Tensor:
        """Return z = mean + sigma * noise for standard normal noise (..., B, latent, ...)."""
        return self.mean + torch.exp(0.5 * self.log_variance) * noise

    def kl(self) -> Tensor:
        """Return KL(q(z | x) || p(z)) of every component (Kingma and Welling, appendix B)."""
        return 0.5 * (self.mean.square() + self.log_variance.exp() - 1 - self.log_variance)


def charge_free_bits(kl: Tensor, free_bits: float) -> Tensor:
    """Return the KL term of a batch from its KL (B, latent, ...), per image, a scalar.

    A unit with less than ``free_bits`` per position is charged ``free_bits``, so using less gains nothing. The KL is
    averaged over the batch first (Kingma et al., "Inverse autoregressive flow", 2016, equation 15).
    """
    of_units = kl.transpose(0, 1).flatten(1).mean(1)  # (latent,)
    return of_units.clamp(min=free_bits).sum() * kl[0, 0].numel()


def log_weights(posterior: Posterior, noise: Tensor, log_likelihood: Callable[[Tensor], Tensor]) -> Tensor:
    """Return log p(x | z) + log p(z) - log q(z | x) of K random codes, (K, B).

    Their mean estimates the evidence lower bound (ELBO).

    Args:
        posterior: posterior of B images.
        noise: standard normal noise (K, B, latent, ...).
        log_likelihood: maps codes (B, latent, ...) to log p(x | z), (B,).
    """
    codes = posterior.draw(noise)
    # The constants of the two normal densities cancel, and (z - mean) / sigma is the noise itself.
    ratios = 0.5 * (noise.square() + posterior.log_variance - codes.square())
    return torch.stack([log_likelihood(code) for code in codes]) + ratios.flatten(2).sum(2)


def importance_weight(weights: Tensor) -> Tensor:
    """Return a bound on log p(x), tighter with more draws, (K, B) to (B,) (Burda et al., 2016, equation 8)."""
    return torch.logsumexp(weights, 0) - math.log(len(weights))


class Gaussian(nn.Module):
    """p(image | code): independent normal distributions around the decoded values with one learned deviation.

    Learning it balances reconstruction and KL without a weight to tune (Rybkin et al., 2021, "Simple and effective VAE
    training with calibrated decoders").
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_deviation = nn.Parameter(torch.tensor(math.log(0.1)))

    def forward(self, decoded: Tensor, image: Tensor) -> Tensor:
        """Return the log-density of each image, (B, ...) to (B,), summed over its values."""
        errors = (image - decoded) * torch.exp(-self.log_deviation)
        return (-0.5 * errors.square() - self.log_deviation - 0.5 * math.log(2 * math.pi)).flatten(1).sum(1)
