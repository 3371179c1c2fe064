"""Denoising as a task: the network, its images, one step, how it is used and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from torch import nn
from typing_extensions import override

from restore.core import (
    Batch,
    EvaluationProtocol,
    Networks,
    Phase,
    RunSettings,
    Settings,
    Task,
    Tiling,
    TrainStep,
)
from restore.core.images.listing import list_images
from restore.plugins.common.images.folders import ImageFolder, split_files
from restore.plugins.common.images.samples import photographs
from restore.plugins.common.images.sources import ImageSource
from restore.plugins.common.metrics import Comparison
from restore_denoise.dataset import NoisyImages
from restore_denoise.loss import EdgeLoss
from restore_denoise.metric import NoisyPSNR
from restore_denoise.network import ResidualDenoiser
from restore_denoise.settings import DenoiseEvaluateOptions, DenoisingSettings


class Denoising(Task[DenoisingSettings, Settings, DenoiseEvaluateOptions]):
    """Remove noise of one strength from photographs."""

    def __init__(self, settings: DenoisingSettings) -> None:
        super().__init__(settings)
        self.loss = EdgeLoss(settings.edge_weight)

    @classmethod
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        """Four channels, three layers."""
        return super().tiny_settings(**{"model": {"channels": 4, "depth": 3}, "crop_size": 16, **changes})

    def networks(self) -> dict[str, nn.Module]:
        """One network."""
        return {"denoiser": ResidualDenoiser(self.settings.model.channels, self.settings.model.depth)}

    def phases(self) -> Sequence[Phase]:
        """One phase, which keeps the weights with the highest PSNR."""
        return [Phase("denoise", self.settings.epochs, {"denoiser": self.settings.optimizer}, monitor="psnr")]

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> NoisyImages:
        """Crops to train on, whole images to validate on."""
        source = images(split, self.settings)
        return NoisyImages(source, self.settings.model.noise, self.settings.crop_size if split == "train" else None)

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        """Move the network towards the clean image."""
        step.optimize("denoiser", lambda nets: self.loss(nets.denoiser(batch["input"]), batch))

    @property
    def tiling(self) -> Tiling:
        """Large images may be cut without a trace: a pixel depends on ``depth`` others on each side."""
        return Tiling("exact", halo=self.settings.model.depth)

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Clean images (B, 3, H, W) in [0, 1]."""
        return {"output": networks.denoiser(batch["input"]).clamp(0, 1)}

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """PSNR of 8-bit RGB, as papers on denoising have it; a number without its noise would say nothing."""
        return {"rgb": EvaluationProtocol("rgb", {"psnr": NoisyPSNR(Comparison("rgb8"), self.noise)})}

    def evaluation_data(self, folder: Path | None) -> NoisyImages:
        """Whole images with the noise that was asked for."""
        source = ImageFolder(list_images(folder)) if folder else photographs("validation")
        return NoisyImages(source, self.noise)

    @property
    def noise(self) -> float:
        """What is measured with: the level that was asked for, or else the one that the network is made for."""
        return self.evaluate_options.noise or self.settings.model.noise


def images(split: Literal["train", "validation"], settings: RunSettings) -> ImageSource:
    """The images of a split: those of folders, or the photographs that need no download."""
    files = split_files(settings, split)
    return photographs(split) if files is None else ImageFolder(files)
