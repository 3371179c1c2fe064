"""The local and the global discriminator equal their references and judge any size."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from restore.plugins.common.adversarial.losses import gradient_penalty
from restore.plugins.inpaint_gan.discriminators import ImageDiscriminator, LocalGlobalDiscriminator, average_pool


@pytest.mark.parametrize(
    ("fixture", "side", "parameters"), [("dfv1_local_d", 128, 2_684_289), ("dfv1_global_d", 256, 2_733_441)]
)
def test_they_equal_their_references(golden: ModuleType, fixture: str, side: int, parameters: int) -> None:
    reference = golden.load(fixture)

    def build() -> nn.Module:
        network = ImageDiscriminator(side)
        network.load_state_dict(reference.state())
        return network

    assert len(build().state_dict()) == 10
    assert sum(parameter.numel() for parameter in build().parameters()) == parameters
    reference.check_module(build)


def test_each_discriminator_judges_its_own_image() -> None:
    discriminator = LocalGlobalDiscriminator(32, 64, channels=2)
    local, whole = torch.rand(3, 3, 32, 32), torch.rand(3, 3, 64, 64)
    (local_score, whole_score), features = discriminator(local, whole, features=True)
    assert local_score.shape == whole_score.shape == (3, 1)
    assert torch.equal(local_score, discriminator.local(local))
    assert torch.equal(whole_score, discriminator.whole(whole))
    assert torch.equal(torch.cat(discriminator(local, whole)), torch.cat([local_score, whole_score]))
    assert [feature.shape[2] for feature in features] == [16, 8, 4, 2, 32, 16, 8, 4]


@pytest.mark.parametrize("size", [(64, 64), (48, 80), (200, 33), (1, 1)])
def test_any_size_is_judged(size: tuple[int, int]) -> None:
    scores = ImageDiscriminator(64, channels=2)(torch.rand(2, 3, *size))
    assert scores.shape == (2, 1)
    assert scores.isfinite().all()


@pytest.mark.parametrize("size", [(4, 4), (3, 5), (13, 2), (1, 1), (9, 8)])
@pytest.mark.parametrize("places", [1, 4, 8])
def test_means_around_places_are_those_of_adaptive_pooling(size: tuple[int, int], places: int) -> None:
    ours = torch.rand(2, 3, *size, dtype=torch.float64, requires_grad=True)
    theirs = ours.detach().clone().requires_grad_()
    pull = torch.rand(2, 3, places, places, dtype=torch.float64)
    means, expected = average_pool(ours, places), F.adaptive_avg_pool2d(theirs, places)
    torch.testing.assert_close(means, expected, rtol=0, atol=1e-12)
    for found in (means, expected):
        (found * pull).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=0, atol=1e-12)
    torch.testing.assert_close(average_pool(ours.float(), places).double(), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [32, 24])
def test_its_slope_can_be_penalized(size: int) -> None:
    discriminator = ImageDiscriminator(32, channels=2)
    real, fake = torch.rand(2, 2, 3, size, size)
    gradient_penalty(discriminator, real, fake).backward()
    without = [name for name, parameter in discriminator.named_parameters() if parameter.grad is None]
    assert without == ["linear.bias"]  # which no slope depends on
    discriminator(real).sum().backward()
    assert all(parameter.grad is not None for parameter in discriminator.parameters())


def test_spectral_normalization_bounds_every_weight_but_not_what_is_saved() -> None:
    torch.manual_seed(0)
    network = ImageDiscriminator(32, channels=4, spectral=True)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(50)
    for _ in range(60):
        network(torch.rand(1, 3, 32, 32))
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert len(layers) == 5
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2) == pytest.approx(1, abs=0.05)
    restored = ImageDiscriminator(32, channels=4, spectral=True)
    restored.load_state_dict(network.state_dict())
    image = torch.rand(1, 3, 32, 32)
    assert torch.equal(network.eval()(image), restored.eval()(image))


def test_scores_keep_their_precision_under_autocast() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ImageDiscriminator(32, channels=2)(torch.rand(1, 3, 32, 32)).dtype == torch.float32
        assert average_pool(torch.rand(1, 3, 5, 5).bfloat16(), 3).dtype == torch.float32
