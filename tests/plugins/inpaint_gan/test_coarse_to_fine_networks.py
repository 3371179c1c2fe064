"""The coarse-to-fine generator equals its reference, takes any size, and looks at nothing in the hole."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from restore.plugins.inpaint_gan.attention import Attention
from restore.plugins.inpaint_gan.coarse_to_fine import CoarseToFine
from restore.plugins.inpaint_gan.gated import Convolution


def example(height: int = 32, width: int = 40, samples: int = 2) -> tuple[Tensor, Tensor]:
    mask = torch.zeros(samples, 1, height, width)
    for sample in range(samples):
        mask[sample, :, : height // 3, sample : width // 2] = 1
    return 2 * torch.rand(samples, 3, height, width) - 1, mask


def test_it_equals_its_reference(golden: ModuleType) -> None:
    fixture = golden.load("dfv1_generator")
    network = CoarseToFine(attention=Attention(published=True))
    network.load_state_dict(fixture.state())
    assert list(network.state_dict()) == list(fixture.state())
    assert len(network.state_dict()) == 84
    assert sum(parameter.numel() for parameter in network.parameters()) == 3_601_542
    fixture.check(network.double().eval())


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("size", [(32, 32), (31, 45), (9, 3), (1, 1)])
def test_any_size_comes_back_at_that_size(size: tuple[int, int], gated: bool) -> None:
    with torch.no_grad():
        for image in CoarseToFine(channels=2, gated=gated)(*example(*size)):
            assert image.shape == (2, 3, *size)
            assert image.isfinite().all()
            assert image.abs().max() <= 1


def test_an_image_without_anything_known_is_filled_too() -> None:
    for image in CoarseToFine(channels=2)(torch.zeros(1, 3, 24, 24), torch.ones(1, 1, 24, 24)):
        assert image.isfinite().all()


def test_pixels_in_the_hole_are_not_looked_at() -> None:
    network = CoarseToFine(channels=4)
    image, mask = example()
    with torch.no_grad():
        for one, other in zip(network(image, mask), network(image + 100 * mask, mask), strict=True):
            torch.testing.assert_close(one, other)


def test_each_sample_is_filled_as_if_it_were_alone() -> None:
    network = CoarseToFine(channels=4).double()
    image, mask = (part.double() for part in example())
    with torch.no_grad():
        together = network(image, mask)
        for sample in range(2):
            alone = network(image[sample : sample + 1], mask[sample : sample + 1])
            for one, other in zip(alone, together, strict=True):
                torch.testing.assert_close(one[0], other[sample])


@pytest.mark.parametrize("gated", [False, True])
def test_every_parameter_learns_from_the_fine_image(gated: bool) -> None:
    torch.manual_seed(0)
    network = CoarseToFine(channels=4, gated=gated)
    _, fine = network(*example())
    fine.square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("gated", [False, True])
def test_features_start_neither_vanished_nor_exploded(gated: bool) -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(*[Convolution(32, 32, gated=gated) for _ in range(8)])
    with torch.no_grad():
        assert 0.2 < layers(torch.randn(1, 32, 48, 48)).std() < 1.5


def test_a_closed_gate_lets_nothing_pass_and_an_open_one_everything() -> None:
    gated, plain = Convolution(3, 4, gated=True), Convolution(3, 4)
    with torch.no_grad():
        features, gates = gated.conv.weight.chunk(2)
        features.copy_(plain.conv.weight)
        gates.zero_()
        x = torch.rand(1, 3, 8, 8)
        gated.conv.bias[4:] = -100
        assert gated(x).abs().max() == 0
        gated.conv.bias[4:] = 100
        torch.testing.assert_close(gated(x), plain(x))


def test_the_images_keep_their_precision_under_autocast() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert all(image.dtype == torch.float32 for image in CoarseToFine(channels=2)(*example()))


def test_an_odd_width_cannot_be_halved() -> None:
    with pytest.raises(ValueError, match="must be even, not 5"):
        CoarseToFine(channels=5)
