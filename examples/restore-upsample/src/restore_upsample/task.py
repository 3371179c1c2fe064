"""The task: which images the network sees, what it learns from them, how it is used and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from torch import nn
from typing_extensions import override

from restore import registry
from restore.core import (
    Batch,
    EvaluationProtocol,
    ImageDataset,
    ImageSpec,
    Method,
    Networks,
    Phase,
    RunSettings,
    Task,
    Tiling,
    TrainStep,
)
from restore.core.contracts import tiling_of
from restore.plugins.common.losses import L1
from restore.plugins.common.super_resolution.dataset import evaluation_pairs, super_resolution_images
from restore.plugins.common.super_resolution.protocols import super_resolution_protocols
from restore_upsample.network import UpsampleNetwork
from restore_upsample.settings import UpsampleSettings


class UpsampleTask(Task[UpsampleSettings]):
    """Upscale photographs."""

    @classmethod
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        """Return settings of a run of a second, for tests; keep it that small if you change the network."""
        return super().tiny_settings(**{"model": {"channels": 4, "blocks": 1}, "crop_size": 16, **changes})

    def networks(self) -> dict[str, nn.Module]:
        """Build the network; a weights file stores it."""
        model = self.settings.model
        return {"generator": UpsampleNetwork(model.scale, model.channels, model.blocks)}

    # --- training ---------------------------------------------------------------------------------------------

    def phases(self) -> Sequence[Phase]:
        """Return one phase, which keeps the weights with the highest PSNR."""
        return [Phase("train", self.settings.epochs, {"generator": self.settings.optimizer}, monitor="psnr")]

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> ImageDataset:
        """Return crops for training and whole images for validation; --data may be images, or LR/ and HR/."""
        return super_resolution_images(
            split, self.settings, scale=self.settings.model.scale, crop=self.settings.crop_size
        )

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        """Do one step; change the loss here. A loss function only calls networks, each of them once."""
        step.optimize("generator", lambda nets: L1()(nets.generator(batch["input"]), batch))

    # --- using ------------------------------------------------------------------------------------------------

    @property
    def outputs(self) -> Mapping[str, ImageSpec]:
        """Declare the size of the output."""
        return {"output": ImageSpec(scale=self.settings.model.scale)}

    @property
    def tiling(self) -> Tiling:
        """Declare how large images may be cut into tiles: the network says it."""
        return tiling_of(self.networks()["generator"])

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Upscale images (B, 3, H, W) in [0, 1]."""
        return {"output": networks.generator(batch["input"]).clamp(0, 1)}

    # --- measuring --------------------------------------------------------------------------------------------

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Return PSNR and SSIM in the conventions of the field."""
        return super_resolution_protocols(self.settings.model.scale)

    @property
    def default_protocol(self) -> str:
        """Name the protocol of the classic tables."""
        return "y8-border"

    def evaluation_data(self, folder: Path | None) -> ImageDataset:
        """Return the images of a folder, or the validation photographs."""
        return evaluation_pairs(folder, self.settings.model.scale)

    def baselines(self) -> Mapping[str, Method]:
        """Return the classical method to compare with."""
        bicubic = registry.get("tasks", "classic/bicubic")
        return {"bicubic": bicubic(bicubic.settings_type(model={"scale": self.settings.model.scale}))}
