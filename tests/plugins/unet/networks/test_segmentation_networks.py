"""The networks equal their references and take any size."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from restore.plugins.unet.networks.deeplab import DeepLabV3, DeepLabV3Plus
from restore.plugins.unet.networks.unet import NestedUNet, UNet


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_unet_equals_its_reference(golden: ModuleType, mode: str) -> None:
    fixture = golden.load("unet")
    network = UNet()
    network.load_state_dict(fixture.state())
    fixture.check(network.double().train(mode == "train"), mode)


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_nested_unet_equals_its_reference_at_every_head(golden: ModuleType, mode: str) -> None:
    fixture = golden.load("nested_unet_ds")
    network = NestedUNet(num_classes=2, deep_supervision=True)
    network.load_state_dict(fixture.state())
    fixture.check(network.double().train(mode == "train"), mode)


def test_parameters_and_keys_are_those_of_the_reference() -> None:
    assert parameters(UNet()) == 7_852_545
    assert len(UNet().state_dict()) == 128
    assert parameters(NestedUNet()) == 9_163_329
    assert len(NestedUNet().state_dict()) == 212
    assert parameters(NestedUNet(deep_supervision=True)) == 9_163_428
    assert len(NestedUNet(deep_supervision=True).state_dict()) == 218


@pytest.mark.parametrize(
    ("build", "arguments"),
    [
        (UNet, {"channels": 2}),
        (NestedUNet, {"channels": 2}),
        (DeepLabV3, {"channels": 8}),
        (DeepLabV3Plus, {"backbone": "resnet18", "channels": 8}),
    ],
)
@pytest.mark.parametrize("size", [(32, 48), (33, 50), (20, 17)])
def test_any_size_comes_back_at_that_size(
    build: Callable[..., nn.Module], arguments: dict[str, object], size: tuple[int, int]
) -> None:
    network = build(num_classes=2, input_channels=4, **arguments)
    with torch.no_grad():
        logits = network.eval()(torch.rand(1, 4, *size))
    assert logits.shape == (1, 2, *size)
    assert logits.isfinite().all()


def test_padding_does_not_change_what_fits() -> None:
    network = NestedUNet(channels=2, deep_supervision=True).eval()
    image = torch.rand(1, 3, 30, 16)
    continued = torch.cat([image, image[:, :, -1:].expand(-1, -1, 2, -1)], dim=2)
    with torch.no_grad():
        for head, whole in zip(network(image), network(continued), strict=True):
            assert torch.equal(head, whole[:, :, :30])


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_a_pruned_network_gives_exactly_its_head(level: int) -> None:
    network = NestedUNet(channels=2, deep_supervision=True).eval()
    part = network.prune(level)
    image = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(part(image), network(image)[level - 1])
    assert parameters(part) < parameters(network)
    assert not part.training


def test_pruning_needs_the_head_of_that_level() -> None:
    with pytest.raises(ValueError, match="only L4, without deep supervision"):
        NestedUNet(channels=2).prune(2)
    with pytest.raises(ValueError, match="L1 to L4"):
        NestedUNet(channels=2, deep_supervision=True).prune(5)
    assert parameters(NestedUNet(channels=2).prune(4)) == parameters(NestedUNet(channels=2))


@pytest.mark.parametrize("backbone", ["mobilenet_v3_large", "resnet18"])
def test_coarse_features_have_stride_16(backbone: str) -> None:
    network = DeepLabV3(backbone=backbone, channels=4).eval()  # type: ignore[arg-type]
    with torch.no_grad():
        fine = network.fine(torch.rand(1, 3, 64, 64))
        assert fine.shape[-2:] == (16, 16)
        assert network.coarse(fine).shape[-2:] == (4, 4)


@pytest.mark.parametrize("build", [DeepLabV3, DeepLabV3Plus])
def test_deeplab_trains_on_a_single_image(build: Callable[..., nn.Module]) -> None:
    network = build(channels=8)
    logits: Tensor = network.train()(torch.rand(1, 3, 64, 64))
    logits.square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_pretrained_features_read_three_channels() -> None:
    with pytest.raises(ValueError, match="not 1"):
        DeepLabV3(input_channels=1, pretrained=True)
