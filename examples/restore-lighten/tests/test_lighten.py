"""The network learns."""

from __future__ import annotations

from pathlib import Path

from restore_lighten.task import LightenTask

from restore.core import Trainer


def test_a_short_training_brightens(tmp_path: Path) -> None:
    settings = LightenTask.tiny_settings(out=tmp_path, optimizer={"lr": 3e-2}, batch_size=8, samples_per_epoch=400)
    (psnr,) = Trainer(LightenTask, settings, name="lighten/lighten").fit().numbers
    assert psnr.value > 18  # dB; the dark images have about 15
