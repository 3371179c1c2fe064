"""Which of a device's kernels a run lets torch look for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor
from toy_tasks import OneNetwork, toy_settings

from restore.core.dataset import Batch
from restore.core.networks import Networks
from restore.core.training.trainer import Trainer
from restore.core.training_step import TrainStep


def allowed() -> tuple[bool, bool]:
    return torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32


class Watched(OneNetwork):
    """Remembers whether cuDNN may try its kernels out, and whether it may round to TF32."""

    seen: ClassVar[dict[str, set[tuple[bool, bool]]]] = {}

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        self.seen["training"].add(allowed())
        super().train_step(batch, step)

    def measure(self, *arguments: Any) -> dict[str, Tensor]:
        self.seen["measuring"].add(allowed())
        return super().measure(*arguments)

    def sample_row(self, batch: Batch, networks: Networks) -> list[Tensor]:
        self.seen["samples"].add(allowed())
        return super().sample_row(batch, networks)


@pytest.mark.parametrize("deterministic", [False, True])
def test_kernels_are_tried_out_and_may_round_in_training_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deterministic: bool
) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    settings = toy_settings(tmp_path, deterministic=deterministic, epochs=2)
    Watched.seen = {"training": set(), "measuring": set(), "samples": set()}
    try:
        Trainer(Watched, settings, name="toy/toy").fit()
    finally:
        torch.use_deterministic_algorithms(False)
        chosen = os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
    assert Watched.seen == {
        "training": {(not deterministic, True)},
        "measuring": {(False, False)},
        "samples": {(False, False)},
    }
    # what torch asks for before it multiplies matrices on CUDA by deterministic kernels
    assert (chosen in (":4096:8", ":16:8")) is deterministic
