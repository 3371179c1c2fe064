"""Published checkpoints are imported whole, and give what their own code gives."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from published import import_published

from restore import registry
from restore.core.errors import WeightsError
from restore.core.networks import Networks
from restore.core.weights.files import open_weights
from restore.plugins.unet.convert import from_pytorch_nested_unet
from restore.plugins.unet.networks.unet import NestedUNet, UNet
from restore.plugins.unet.settings import (
    NestedUNetModel,
    NestedUNetSettings,
)
from restore.plugins.unet.task import NestedUNetSegmentation, Segmentation


def test_published_checkpoints_give_what_their_own_code_gives() -> None:
    torch.manual_seed(0)
    reference = NestedUNet(channels=2, deep_supervision=True).eval().double()
    for module in reference.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            # Statistics of images that were divided by 255 twice, as that code trains.
            module.running_mean.normal_(std=0.01)
            module.running_var.uniform_(0.001, 0.01)
    image = torch.rand(1, 3, 96, 96, dtype=torch.float64)
    mean, std = (
        torch.tensor(values).double().view(3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    as_read_there = (image.flip(1) - mean) / std / 255  # blue, green, red
    state = {f"module.{key}": value for key, value in reference.state_dict().items()}
    model, renamed = from_pytorch_nested_unet(state)
    assert model["classes"] == ["foreground"]
    task = NestedUNetSegmentation(NestedUNetSettings(model=NestedUNetModel(**model)))
    network = task.networks()["segmenter"].double().eval()
    network.load_state_dict({key.removeprefix("segmenter."): value for key, value in renamed.items()})
    with torch.no_grad():
        found = task.predict({"input": image}, Networks({"segmenter": network}))["probability"]
        expected = reference(as_read_there)[-1].sigmoid()
    assert torch.allclose(found, expected, atol=1e-7)
    assert expected.std() > 0.01


@pytest.mark.parametrize("name", ["unet", "nested-unet"])
def test_a_published_checkpoint_is_imported_whole(tmp_path: Path, name: str) -> None:
    network = UNet(num_classes=2, channels=3) if name == "unet" else NestedUNet(num_classes=2, channels=3)
    report = import_published(tmp_path, network.state_dict(), name)
    assert report.loaded == len(network.state_dict())
    assert not report.differences
    task, networks = open_weights(report.output, registry.get)
    assert isinstance(task, Segmentation)
    assert task.classes == ("0", "1")
    assert torch.equal(networks.segmenter.get_submodule("conv0_0.conv1").weight.flip(1), network.conv0_0.conv1.weight)


def test_importing_changes_nothing_that_it_does_not_know() -> None:
    model, renamed = from_pytorch_nested_unet({"conv0_0.bn1.bias": torch.zeros(1), "optimizer": torch.zeros(1)})
    assert model == {"fit": "resize"}
    assert set(renamed) == {"segmenter.conv0_0.bn1.bias", "segmenter.optimizer"}


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (["inc.double_conv.0.weight", "outc.conv.weight"], "milesial/Pytorch-UNet"),
        (["encoder1.enc1conv1.weight", "conv.weight"], "mateuszbuda/brain-segmentation-pytorch"),
        (
            ["encoder.conv1.weight", "decoder.blocks.0.conv1.0.weight", "segmentation_head.0.weight"],
            "segmentation_models",
        ),
        (["encoder.stages.0.0.convs.0.conv.weight", "decoder.seg_layers.0.weight"], "nnU-Net"),
    ],
)
def test_networks_of_others_that_are_not_here_are_called_by_their_names(
    tmp_path: Path, keys: list[str], name: str
) -> None:
    content = {"network_weights": {key: torch.zeros(1) for key in keys}}
    with pytest.raises(WeightsError, match=f"the file holds .*{name}.*, which unet does not have"):
        import_published(tmp_path, content, "unet")


def test_what_has_none_of_its_names_is_of_another_network() -> None:
    with pytest.raises(WeightsError, match="no key of the file belongs to this converter"):
        from_pytorch_nested_unet({"conv_first.weight": torch.zeros(1)})
