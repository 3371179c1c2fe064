"""The network learns to upscale."""

from __future__ import annotations

from pathlib import Path

import torch
from restore_upsample.network import UpsampleNetwork
from restore_upsample.task import UpsampleTask

from restore.core import Trainer, evaluate


def test_the_network_upscales_by_its_factor() -> None:
    images = torch.rand(2, 3, 7, 9)
    for scale in (1, 2, 3):
        assert UpsampleNetwork(scale, channels=4, blocks=1)(images).shape == (2, 3, 7 * scale, 9 * scale)


def test_a_short_training_improves_on_the_untrained_network(tmp_path: Path) -> None:
    settings = UpsampleTask.tiny_settings(
        out=tmp_path, model={"channels": 8, "blocks": 1}, batch_size=8, samples_per_epoch=200, epochs=2
    )
    task = UpsampleTask(settings)
    images, protocol = task.evaluation_data(None), task.training_protocol
    untrained = evaluate(task, task.networks(), images, protocol, of="untrained").numbers
    trained = Trainer(UpsampleTask, settings, name="upsample/upsample").fit().numbers
    psnr = {number.of: number.value for number in (*untrained, *trained) if number.name == "psnr"}
    assert psnr["train"] > psnr["untrained"] + 0.2, "dB"
