"""The network learns to find regions."""

from __future__ import annotations

from pathlib import Path

import torch
from restore_outline.network import OutlineNetwork
from restore_outline.task import OutlineTask

from restore.core import Trainer


def test_the_network_returns_one_map_for_each_class() -> None:
    images = torch.rand(2, 1, 12, 20)
    assert OutlineNetwork(input_channels=1, num_classes=3, channels=4)(images).shape == (2, 3, 12, 20)


def test_a_short_training_finds_regions(tmp_path: Path) -> None:
    settings = OutlineTask.tiny_settings(
        out=tmp_path, optimizer={"lr": 1e-2}, batch_size=8, samples_per_epoch=240, epochs=2
    )
    numbers = Trainer(OutlineTask, settings, name="outline/outline").fit().numbers
    (iou,) = [number.value for number in numbers if number.name == "iou"]
    assert iou > 0.4  # an untrained network has about 0.2
