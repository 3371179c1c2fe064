"""The U-Net generator equals its reference and takes any size."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from torch import nn

from restore.plugins.inpaint_gan.blocks import Norm
from restore.plugins.inpaint_gan.unet import UNetGenerator


def test_it_equals_pix2pix(golden: ModuleType) -> None:
    fixture = golden.load("pix2pix_unet256")
    network = UNetGenerator(input_channels=3)
    network.load_state_dict(fixture.state())
    assert list(network.state_dict()) == list(fixture.state())
    assert sum(parameter.numel() for parameter in network.parameters()) == 54_413_955
    fixture.check(network.double().eval())


@pytest.mark.parametrize("size", [(16, 32), (17, 30), (40, 23), (5, 3), (1, 1)])
@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_any_size_comes_back_at_that_size(size: tuple[int, int], norm: Norm) -> None:
    network = UNetGenerator(channels=2, depth=4, norm=norm)
    image = network(torch.rand(1, 4, *size))
    assert image.shape == (1, 3, *size)
    assert image.isfinite().all()
    assert image.abs().max() <= 1


def test_continuing_an_odd_side_does_not_change_what_the_network_sees_of_it() -> None:
    network = UNetGenerator(channels=2, depth=3).eval()
    image = torch.rand(1, 4, 31, 16)
    continued = torch.cat([image, image[:, :, -1:]], dim=2)
    with torch.no_grad():
        assert torch.equal(network(image), network(continued)[:, :, :31])


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_every_parameter_learns(norm: Norm) -> None:
    torch.manual_seed(0)
    network = UNetGenerator(channels=4, depth=5, norm=norm).double()
    network(torch.rand(2, 4, 32, 32, dtype=torch.float64)).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        # A bias that normalization takes away again would have a gradient of rounding errors alone.
        assert parameter.grad.abs().max() > 1e-14, name


def test_dropout_stands_in_the_wide_levels_inside() -> None:
    def dropouts(depth: int) -> int:
        network = UNetGenerator(channels=1, depth=depth, dropout=True)
        return sum(isinstance(module, nn.Dropout) for module in network.modules())

    assert [dropouts(depth) for depth in (2, 5, 6, 8)] == [0, 0, 1, 3]


def test_the_image_keeps_its_precision_under_autocast() -> None:
    network = UNetGenerator(channels=2, depth=2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert network(torch.rand(1, 4, 8, 8)).dtype == torch.float32


def test_one_level_is_no_unet() -> None:
    with pytest.raises(ValueError, match="at least 2 levels"):
        UNetGenerator(depth=1)


def test_residual_blocks_before_the_last_layer_start_as_nothing() -> None:
    torch.manual_seed(0)
    plain, deeper = UNetGenerator(channels=2, depth=2), UNetGenerator(channels=2, depth=2, blocks=2)
    shared = deeper.state_dict()
    for name, tensor in plain.state_dict().items():
        moved = name.replace("model.model.3.", "model.model.5.")
        assert shared[moved].shape == tensor.shape
        shared[moved] = tensor
    deeper.load_state_dict(shared)
    x = torch.rand(1, 4, 19, 22)
    with torch.no_grad():
        assert torch.equal(plain.eval()(x), deeper.eval()(x))
