"""The patch discriminators equal their reference, judge patches, and can be held to a slope."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from torch import nn

from restore.plugins.inpaint_gan.blocks import Norm
from restore.plugins.inpaint_gan.discriminators import MultiScaleDiscriminator, PatchDiscriminator, smallest_side


def test_it_equals_the_70_pixel_patchgan(golden: ModuleType) -> None:
    fixture = golden.load("pix2pix_patchgan70")

    def build() -> nn.Module:
        network = PatchDiscriminator(6)
        network.load_state_dict(fixture.state())
        return network

    assert sum(parameter.numel() for parameter in build().parameters()) == 2_768_705
    assert len(fixture.state()) == len(build().state_dict()) == 22
    fixture.check_module(build)


def test_a_score_sees_70_pixels_and_no_more() -> None:
    image = torch.rand(1, 3, 142, 142, dtype=torch.float64, requires_grad=True)
    scores = PatchDiscriminator(3, channels=2, norm="none").double()(image)
    scores[0, 0, 8, 8].backward()
    assert image.grad is not None
    rows = image.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    assert rows[-1] - rows[0] + 1 == 70


def test_features_are_what_the_scores_are_made_of() -> None:
    network = PatchDiscriminator(3, channels=2)
    image = torch.rand(2, 3, 48, 64)
    scores, features = network(image, features=True)
    assert torch.equal(scores, network.model[-1](features[-1]))
    assert [feature.shape[1:] for feature in features] == [(2, 24, 32), (4, 12, 16), (8, 6, 8), (16, 5, 7)]
    assert network.eval()(image).shape == scores.shape == (2, 1, 4, 6)


def test_each_scale_judges_for_itself() -> None:
    network = MultiScaleDiscriminator(3, channels=2, scales=3, norm="none")
    image = torch.rand(1, 3, 96, 100)
    scores, features = network(image, features=True)
    assert [score.shape[-2:] for score in scores] == [(10, 10), (4, 4), (1, 1)]
    assert len(features) == 3 * 4
    assert all(torch.equal(one, other) for one, other in zip(network(image), scores, strict=True))
    sum(score.mean() for score in scores).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_a_flat_image_stays_flat_at_every_scale() -> None:
    network = MultiScaleDiscriminator(3, channels=2, scales=2, norm="none")
    network.scales[1].load_state_dict(network.scales[0].state_dict())
    small, large = network(torch.full((1, 3, 48, 48), 0.7))[1], network.scales[0](torch.full((1, 3, 24, 24), 0.7))
    torch.testing.assert_close(small, large)


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_the_smallest_side_leaves_one_score(layers: int) -> None:
    side = smallest_side(layers)
    network = PatchDiscriminator(3, channels=1, layers=layers, norm="none")
    assert network(torch.rand(1, 3, side, side)).shape == (1, 1, 1, 1)
    with pytest.raises(ValueError, match=f"at least {side} pixels a side, not {side} x {side - 1}"):
        network(torch.rand(1, 3, side - 1, side))
    wider = smallest_side(layers, scales=2)
    discriminate = MultiScaleDiscriminator(3, channels=1, layers=layers, norm="none")
    assert discriminate(torch.rand(1, 3, wider, wider))[1].shape == (1, 1, 1, 1)


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_spectral_normalization_bounds_every_weight(norm: Norm) -> None:
    torch.manual_seed(0)
    network = PatchDiscriminator(3, channels=4, norm=norm, spectral=True)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(50)
    for _ in range(30):
        network(torch.rand(2, 3, 32, 32))
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            assert torch.linalg.matrix_norm(module.weight.detach().flatten(1), 2) == pytest.approx(1, abs=0.05)


def test_weights_with_their_norms_come_back_from_a_state() -> None:
    network, other = (PatchDiscriminator(3, channels=2, norm="none", spectral=True) for _ in range(2))
    network(torch.rand(1, 3, 32, 32))
    other.load_state_dict(network.state_dict())
    image = torch.rand(1, 3, 32, 32)
    assert torch.equal(network.eval()(image), other.eval()(image))


def test_scores_keep_their_precision_under_autocast() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert PatchDiscriminator(3, channels=2)(torch.rand(1, 3, 32, 32)).dtype == torch.float32
