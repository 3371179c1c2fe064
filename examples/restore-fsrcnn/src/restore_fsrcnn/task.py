"""The task: FSRCNN alone, trained with the squared error."""

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
from restore.plugins.common.losses import MSE
from restore.plugins.common.super_resolution.dataset import evaluation_pairs, super_resolution_images
from restore.plugins.common.super_resolution.protocols import super_resolution_protocols
from restore_fsrcnn.network import FSRCNN
from restore_fsrcnn.settings import FSRCNNSettings


class FSRCNNTask(Task[FSRCNNSettings]):
    """Super-resolution with FSRCNN."""

    default_protocol = "y8-border"

    @classmethod
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        """Return settings of a run of a second, for tests."""
        small = {"model": {"scale": 2, "features": 4, "shrunk": 3, "mapping": 1}, "crop_size": 16}
        return super().tiny_settings(**{**small, **changes})

    def networks(self) -> dict[str, nn.Module]:
        """Build the network."""
        return {"generator": FSRCNN(**self.settings.model.model_dump())}

    def phases(self) -> Sequence[Phase]:
        """Return one phase, which keeps the weights with the highest PSNR."""
        return [Phase("train", self.settings.epochs, {"generator": self.settings.optimizer}, monitor="psnr")]

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> ImageDataset:
        scale, crop = self.settings.model.scale, self.settings.crop_size
        return super_resolution_images(split, self.settings, scale=scale, crop=crop)

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        """Do one step on the mean squared error, equation 3."""
        step.optimize("generator", lambda nets: MSE()(nets.generator(batch["input"]), batch))

    @property
    def outputs(self) -> Mapping[str, ImageSpec]:
        """Declare the size of the output."""
        return {"output": ImageSpec(scale=self.settings.model.scale)}

    @property
    def tiling(self) -> Tiling:
        """Declare how large images may be cut into tiles."""
        return tiling_of(self.networks()["generator"])

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Upscale images (B, 3, H, W) in [0, 1]."""
        return {"output": networks.generator(batch["input"]).clamp(0, 1)}

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Return PSNR and SSIM; the paper uses those of the luma."""
        return super_resolution_protocols(self.settings.model.scale)

    def evaluation_data(self, folder: Path | None) -> ImageDataset:
        """Return the images of a folder, or the validation photographs."""
        return evaluation_pairs(folder, self.settings.model.scale)

    def baselines(self) -> Mapping[str, Method]:
        """Return bicubic upscaling."""
        bicubic = registry.get("tasks", "classic/bicubic")
        return {"bicubic": bicubic(bicubic.settings_type(model={"scale": self.settings.model.scale}))}
