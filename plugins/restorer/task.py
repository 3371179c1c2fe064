"""Restoration at the size of the input, with any network on any pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from torch import nn
from typing_extensions import override

from restore.core.dataset import Batch, ImageDataset, as_dataset
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.settings import RunSettings, Settings
from restore.core.specs import Tiling
from restore.core.task import Task
from restore.core.training_step import Phase, TrainStep
from restore.plugins.common.architectures import build_network, find_tiling
from restore.plugins.common.datasets import build_dataset
from restore.plugins.common.images.folders import split_arguments
from restore.plugins.common.weighted_losses import WeightedLosses
from restore.plugins.restorer.classical import Identity, NonLocalMeans
from restore.plugins.restorer.measuring import evaluation_images, restoration_protocols
from restore.plugins.restorer.settings import (
    IdentitySettings,
    NonLocalMeansSettings,
    RestorerEvaluateOptions,
    RestorerSettings,
)


class Restorer(Task[RestorerSettings, Settings, RestorerEvaluateOptions]):
    """Restoration of images: the network learns from pairs of a degraded and a clean image of the same size."""

    channels_last: ClassVar[bool] = True
    equivariant: ClassVar[bool] = True

    def __init__(self, settings: RestorerSettings) -> None:
        super().__init__(settings)
        self.measured_on = settings.dataset

    @override
    def with_options(self, *, predict: Settings | None = None, evaluate: RestorerEvaluateOptions | None = None) -> Self:
        other = super().with_options(predict=predict, evaluate=evaluate)
        other.measured_on = self.measured_on if evaluate is None else evaluate.dataset
        return other

    @classmethod
    @override
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        return super().tiny_settings(**{"model": {"channels": 4, "depth": 3}, "crop_size": 16, **changes})

    @cached_property
    def loss(self) -> WeightedLosses:
        """The loss."""
        return WeightedLosses(self.settings.loss)

    # --- networks ---------------------------------------------------------------------------------------------

    @override
    def networks(self) -> dict[str, nn.Module]:
        return {"restorer": build_network(self.settings.model, **self._given)}

    @override
    def frozen_networks(self) -> dict[str, nn.Module]:
        return self.loss.networks()

    @property
    def _given(self) -> dict[str, Any]:
        """What the contract of the network's role promises: a network for super-resolution does not upscale here."""
        return {"scale": 1} if self.settings.model.role == "super-resolution" else {}

    # --- training ---------------------------------------------------------------------------------------------

    @override
    def phases(self) -> Sequence[Phase]:
        return [Phase("restore", self.settings.epochs, {"restorer": self.settings.optimizer}, monitor="psnr")]

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> ImageDataset:
        given = {**split_arguments(self.settings, split), "crop_size": self.settings.crop_size}
        return as_dataset(build_dataset(self.settings.dataset, given))

    @override
    def train_step(self, batch: Batch, step: TrainStep) -> None:
        step.optimize("restorer", lambda nets: self.loss(nets.restorer(batch["input"]), batch))

    # --- using and measuring ----------------------------------------------------------------------------------

    @cached_property
    @override
    def tiling(self) -> Tiling:
        return find_tiling(self.settings.model, **self._given)

    @override
    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Return ``output`` (B, 3, H, W) in [0, 1] for ``input`` (B, 3, H, W) in about [0, 1]."""
        return {"output": networks.restorer(batch["input"]).clamp(0, 1)}

    @override
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        return restoration_protocols(self.measured_on)

    @property
    @override
    def default_protocol(self) -> str:
        return "rgb8"

    @override
    def evaluation_data(self, folder: Path | None) -> ImageDataset:
        return evaluation_images(self.measured_on, folder)

    @override
    def baselines(self) -> Mapping[str, Method]:
        own = RestorerEvaluateOptions(dataset=self.measured_on)
        return {
            "identity": Identity(IdentitySettings()).with_options(evaluate=own),
            "non-local-means": NonLocalMeans(NonLocalMeansSettings()).with_options(evaluate=own),
        }
