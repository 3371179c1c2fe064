"""The task: which images the network sees, what it learns from them, how it is used and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import nn
from typing_extensions import override

from restore.core import Batch, EvaluationProtocol, Networks, Phase, RunSettings, Settings, Task, Tiling, TrainStep
from restore.core.contracts import tiling_of
from restore.core.images.listing import list_images
from restore.plugins.common.images.folders import ImageFolder
from restore.plugins.common.images.samples import photographs
from restore.plugins.common.images.splits import split_images
from restore.plugins.common.losses import L1
from restore.plugins.common.metrics import PSNR, Comparison
from restore_your_net.dataset import NoisyImages
from restore_your_net.network import YourNetNetwork
from restore_your_net.settings import YourNetEvaluateOptions, YourNetSettings


@dataclass(frozen=True)
class NoisyPSNR(PSNR):
    """PSNR that states the noise of its inputs: a number of denoising means nothing without it."""

    noise: float = 25.0
    """Standard deviation, of 255."""

    @property
    def convention(self) -> str:
        """State how it was measured, such as ``8-bit RGB, noise 25``."""
        return f"{super().convention}, noise {self.noise:g}"


class YourNetTask(Task[YourNetSettings, Settings, YourNetEvaluateOptions]):
    """Remove noise from photographs."""

    @classmethod
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        """Return settings of a run of a second, for tests; keep it that small if you change the network."""
        return super().tiny_settings(**{"model": {"channels": 4, "depth": 3}, "crop_size": 16, **changes})

    def networks(self) -> dict[str, nn.Module]:
        """Build the network; a weights file stores it."""
        return {"restorer": YourNetNetwork(self.settings.model.channels, self.settings.model.depth)}

    # --- training ---------------------------------------------------------------------------------------------

    def phases(self) -> Sequence[Phase]:
        """Return one phase, which keeps the weights with the highest PSNR."""
        return [Phase("train", self.settings.epochs, {"restorer": self.settings.optimizer}, monitor="psnr")]

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> NoisyImages:
        """Return crops for training and whole images for validation."""
        source = split_images(split, self.settings)
        return NoisyImages(source, self.settings.model.noise, self.settings.crop_size if split == "train" else None)

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        """Do one step; change the loss here. A loss function only calls networks, each of them once."""
        step.optimize("restorer", lambda nets: L1()(nets.restorer(batch["input"]), batch))

    # --- using ------------------------------------------------------------------------------------------------

    @property
    def tiling(self) -> Tiling:
        """Declare how large images may be cut into tiles: the network says it."""
        return tiling_of(self.networks()["restorer"])

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Restore images (B, 3, H, W) in [0, 1]."""
        return {"output": networks.restorer(batch["input"]).clamp(0, 1)}

    # --- measuring --------------------------------------------------------------------------------------------

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Return PSNR of 8-bit RGB, the convention of papers on denoising."""
        return {"rgb": {"psnr": NoisyPSNR(Comparison("rgb8"), self.noise)}}

    def evaluation_data(self, folder: Path | None) -> NoisyImages:
        """Return the images of a folder, or the validation photographs, with noise."""
        return NoisyImages(ImageFolder(list_images(folder)) if folder else photographs("validation"), self.noise)

    @property
    def noise(self) -> float:
        """Standard deviation of the noise to measure with, of 255."""
        return self.evaluate_options.noise or self.settings.model.noise
