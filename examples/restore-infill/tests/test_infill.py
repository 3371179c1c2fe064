"""The network learns to fill holes."""

from __future__ import annotations

from pathlib import Path

import torch
from restore_infill.network import InfillNetwork
from restore_infill.task import InfillTask

from restore.core import Trainer


def test_what_is_shown_in_the_hole_does_not_matter() -> None:
    network = InfillNetwork(channels=4, levels=2)
    torch.nn.init.normal_(network.detail[-1].weight)
    images, masks = torch.rand(2, 3, 20, 24), torch.zeros(2, 1, 20, 24)
    masks[..., 5:15, 8:16] = 1
    assert torch.equal(network(images, masks), network(images * (1 - masks), masks))


def test_a_short_training_ends_above_a_classical_fill(tmp_path: Path) -> None:
    settings = InfillTask.tiny_settings(out=tmp_path, crop_size=32, batch_size=8, samples_per_epoch=160)
    result = Trainer(InfillTask, settings, name="infill/infill").fit()
    psnr = {number.of: number.value for number in result.numbers if number.name == "masked-psnr"}
    assert psnr["train"] > psnr["nearest-known"] + 1  # dB
