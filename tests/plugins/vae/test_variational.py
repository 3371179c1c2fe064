"""The arithmetic of the variational bound, against distributions, sampling, differences and probabilistic PCA."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from restore.plugins.vae.variational import Gaussian, Posterior, charge_free_bits, importance_weight, log_weights

pytestmark = pytest.mark.usefixtures("seeded")


def some_posterior(*shape: int) -> Posterior:
    return Posterior(torch.randn(*shape, dtype=torch.float64), torch.randn(*shape, dtype=torch.float64))


# --- KL -----------------------------------------------------------------------------------------------------------


def test_kl_is_that_of_torch_distributions() -> None:
    posterior = some_posterior(4, 3, 2, 5)
    normal = Normal(posterior.mean, torch.exp(0.5 * posterior.log_variance))
    expected = kl_divergence(normal, Normal(torch.zeros((), dtype=torch.float64), 1.0))
    torch.testing.assert_close(posterior.kl(), expected)


def test_kl_is_what_sampling_says() -> None:
    posterior = some_posterior(1, 5)
    normal, prior = Normal(posterior.mean, torch.exp(0.5 * posterior.log_variance)), Normal(0.0, 1.0)
    drawn = posterior.draw(torch.randn(200_000, 1, 5, dtype=torch.float64))
    ratios = normal.log_prob(drawn) - prior.log_prob(drawn)
    error = ratios.std(0) / math.sqrt(len(ratios))
    assert ((ratios.mean(0) - posterior.kl()).abs() < 4 * error).all()


def test_kl_is_zero_only_at_the_prior() -> None:
    at_prior = Posterior(torch.zeros(1, 2), torch.zeros(1, 2))
    assert at_prior.kl().abs().max() == 0
    assert (some_posterior(50, 2).kl() > 0).all()


def test_an_extreme_encoder_gives_a_finite_kl_and_gradient() -> None:
    encoded = torch.tensor([[0.0, 1e3, 0.0, 1e30, -1e30, 90.0]], requires_grad=True)
    kl = Posterior.of(encoded).kl()
    kl.sum().backward()
    assert encoded.grad is not None
    assert kl.isfinite().all()
    assert encoded.grad.isfinite().all()


def test_kl_is_not_rounded_in_half_precision() -> None:
    encoded = torch.full((1, 2), 0.01, dtype=torch.bfloat16)
    assert Posterior.of(encoded).kl().dtype == torch.float32


def test_free_bits_change_nothing_for_units_that_use_more() -> None:
    kl = torch.rand(6, 4, 3, 3) + 0.5
    assert charge_free_bits(kl, 0.4).item() == pytest.approx(kl.sum().item() / 6, rel=1e-5)
    assert charge_free_bits(kl, 0.0).item() == pytest.approx(kl.sum().item() / 6, rel=1e-5)


def test_free_bits_leave_a_unit_that_uses_less_without_gradient() -> None:
    mean = torch.tensor([[0.1, 2.0], [-0.1, 2.0]], requires_grad=True)
    cost = charge_free_bits(Posterior(mean, torch.zeros_like(mean)).kl(), 0.5)
    cost.backward()
    assert cost.item() == pytest.approx(0.5 + 2.0)
    assert mean.grad is not None
    assert mean.grad[:, 0].abs().max() == 0
    torch.testing.assert_close(mean.grad[:, 1], torch.ones(2))


# --- the reparameterized gradient -----------------------------------------------------------------------------------


def test_the_reparameterized_gradient_is_that_of_finite_differences() -> None:
    noise = torch.randn(3, 2, 4, dtype=torch.float64)
    image, mixing = torch.randn(2, 5, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64)
    likelihood = Gaussian().double()

    def bound(mean: Tensor, log_variance: Tensor) -> Tensor:
        posterior = Posterior(mean, log_variance)
        weights = log_weights(posterior, noise, lambda code: likelihood(torch.tanh(code) @ mixing, image))
        return importance_weight(weights).sum() + weights.mean(0).sum()

    start = some_posterior(2, 4)
    assert torch.autograd.gradcheck(bound, [part.requires_grad_() for part in start])


def test_the_reparameterized_gradient_is_that_of_the_expectation() -> None:
    """d E[z^2] / d mean = 2 mean, and by log-variance it is the variance."""
    mean, log_variance = (part.requires_grad_() for part in some_posterior(1, 3))
    Posterior(mean, log_variance).draw(torch.randn(400_000, 1, 3, dtype=torch.float64)).square().mean(
        0
    ).sum().backward()
    assert mean.grad is not None
    assert log_variance.grad is not None
    torch.testing.assert_close(mean.grad, 2 * mean.detach(), atol=0.05, rtol=0)
    torch.testing.assert_close(log_variance.grad, log_variance.detach().exp(), atol=0.05, rtol=0.02)


# --- the likelihood ---------------------------------------------------------------------------------------------------


def test_the_gaussian_is_that_of_torch_distributions() -> None:
    likelihood, decoded, image = Gaussian(), torch.rand(3, 3, 4, 4), torch.rand(3, 3, 4, 4)
    expected = torch.distributions.Normal(decoded, likelihood.log_deviation.exp()).log_prob(image)
    torch.testing.assert_close(likelihood(decoded, image), expected.sum((1, 2, 3)))


# --- bounds ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spread", [0.0, 1.0, 50.0, 1e4])
def test_the_elbo_is_never_above_the_importance_weighted_bound(spread: float) -> None:
    for draws in (1, 2, 7):
        weights = spread * torch.randn(draws, 200, dtype=torch.float64) - 3e3
        slack = importance_weight(weights) - weights.mean(0)
        assert (slack >= -1e-9).all()
        if draws == 1 or spread == 0:
            assert slack.abs().max() < 1e-9
        else:
            assert slack.max() > 0.1


class Factors:
    """x = loadings z + mean + noise: an image of few values whose likelihood is known."""

    def __init__(self, values: int = 5, latent: int = 2) -> None:
        self.loadings = torch.randn(latent, values, dtype=torch.float64)
        self.likelihood = Gaussian().double()
        self.likelihood.log_deviation.data.fill_(math.log(0.7))

    def log_likelihood(self, images: Tensor) -> object:
        return lambda code: self.likelihood(code @ self.loadings, images)

    def evidence(self, images: Tensor) -> Tensor:
        covariance = self.loadings.T @ self.loadings + 0.49 * torch.eye(images.shape[1])
        return MultivariateNormal(torch.zeros(images.shape[1], dtype=torch.float64), covariance).log_prob(images)


@torch.no_grad()
def test_the_importance_weighted_bound_rises_to_the_likelihood() -> None:
    model, images = Factors(), torch.randn(3, 5, dtype=torch.float64)
    off = Posterior(0.3 * torch.randn(3, 2, dtype=torch.float64), torch.full((3, 2), -0.2, dtype=torch.float64))
    noise = torch.randn(40_000, 3, 2, dtype=torch.float64)
    weights = log_weights(off, noise, model.log_likelihood(images))  # type: ignore[arg-type]
    means = [torch.stack([importance_weight(part) for part in weights.split(draws)]).mean(0) for draws in (1, 5, 50)]
    evidence = model.evidence(images)
    assert (means[0] < means[1]).all()
    assert (means[1] < means[2]).all()
    assert (means[2] < evidence + 0.02).all()
    torch.testing.assert_close(importance_weight(weights), evidence, atol=0.05, rtol=0)


# --- probabilistic PCA ----------------------------------------------------------------------------------------------

EXACT = math.sqrt(2.0) * torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]], dtype=torch.float64)
"""Four draws of two numbers with mean zero and unit covariance: what is quadratic in them has its exact expectation."""


def test_the_optimum_of_a_linear_model_is_probabilistic_pca() -> None:
    """Tipping and Bishop (1999), equations 7 to 9; a linear VAE attains it (Lucas et al., 2019)."""
    images = (
        torch.randn(60, 5, dtype=torch.float64)
        @ torch.diag(torch.tensor([3.0, 2.0, 0.7, 0.5, 0.4], dtype=torch.float64))
        @ torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64)).Q
        + 1.5
    )
    encoder, decoder = nn.Linear(5, 2).double(), nn.Linear(2, 5).double()
    log_variance = nn.Parameter(torch.zeros(2, dtype=torch.float64))
    likelihood = Gaussian().double()

    def posterior() -> Posterior:
        return Posterior(encoder(images), log_variance.expand(len(images), 2))

    def log_likelihood(code: Tensor) -> Tensor:
        return likelihood(decoder(code), images)

    def loss() -> Tensor:
        """As training has it: negative log-likelihood of drawn codes and charged KL, per image."""
        drawn = posterior().draw(EXACT.unsqueeze(1).expand(4, len(images), 2))
        return charge_free_bits(posterior().kl(), 0.0) - torch.stack([log_likelihood(code) for code in drawn]).mean()

    parameters = [*encoder.parameters(), *decoder.parameters(), *likelihood.parameters(), log_variance]
    optimizer = torch.optim.LBFGS(parameters, max_iter=2000, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)  # type: ignore[no-untyped-call]

    centered = images - images.mean(0)
    eigenvalues = torch.linalg.eigvalsh(centered.T @ centered / len(images))
    noise = eigenvalues[:3].mean()
    vectors = torch.linalg.eigh(centered.T @ centered / len(images)).eigenvectors[:, 3:]
    covariance = vectors @ torch.diag(eigenvalues[3:] - noise) @ vectors.T + noise * torch.eye(5)
    evidence = MultivariateNormal(images.mean(0), covariance).log_prob(images)

    assert -loss().item() == pytest.approx(evidence.mean().item(), abs=1e-5)
    assert torch.exp(2 * likelihood.log_deviation).item() == pytest.approx(noise.item(), rel=1e-3)
    weight = decoder.weight.detach()
    torch.testing.assert_close(weight @ weight.T, covariance - noise * torch.eye(5), atol=1e-2, rtol=1e-2)
    # There the posterior is exact: every single weight is the likelihood itself, whatever was drawn.
    with torch.no_grad():
        weights = log_weights(posterior(), torch.randn(3, 60, 2, dtype=torch.float64), log_likelihood)
    torch.testing.assert_close(weights, evidence.expand(3, 60), atol=0.02, rtol=0)
    torch.testing.assert_close(importance_weight(weights), evidence, atol=0.02, rtol=0)
