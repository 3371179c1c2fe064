"""The network learns to find regions."""

from __future__ import annotations

from pathlib import Path

import torch
from restore_your_net.network import YourNetNetwork
from restore_your_net.task import YourNetTask

from restore.core import Trainer


def test_the_network_returns_one_map_for_each_class() -> None:
    images = torch.rand(2, 1, 12, 20)
    assert YourNetNetwork(input_channels=1, num_classes=3, channels=4)(images).shape == (2, 3, 12, 20)


def test_a_short_training_finds_regions(tmp_path: Path) -> None:
    settings = YourNetTask.tiny_settings(
        out=tmp_path, optimizer={"lr": 1e-2}, batch_size=8, samples_per_epoch=240, epochs=2
    )
    numbers = Trainer(YourNetTask, settings, name="your_net/your-net").fit().numbers
    (iou,) = [number.value for number in numbers if number.name == "iou"]
    assert iou > 0.4  # an untrained network has about 0.2
