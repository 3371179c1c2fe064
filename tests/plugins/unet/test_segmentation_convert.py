"""Published checkpoints are imported whole, and give what their own code gives."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from published import import_published

from restore import registry
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
    model, renamed = from_pytorch_nested_unet({"optimizer": torch.zeros(1)})
    assert model == {"fit": "resize"}
    assert set(renamed) == {"segmenter.optimizer"}
