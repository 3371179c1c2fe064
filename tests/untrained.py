"""Tasks that are only kept and used: nothing in them can be trained or measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NoReturn

from torch import nn
from typing_extensions import TypeVar

from restore.core.dataset import Batch
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.settings import RunSettings, Settings
from restore.core.task import Task
from restore.core.training_step import Phase, TrainStep

S = TypeVar("S", bound=RunSettings, default=RunSettings)


class Untrained(Task[S]):
    """Answers what every task has to answer, but for its networks and what is predicted by them."""

    def phases(self) -> Sequence[Phase]:
        return []

    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> NoReturn:
        raise AssertionError

    def train_step(self, batch: Batch, step: TrainStep) -> NoReturn:
        raise AssertionError

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        return {}


class ModelSettings(Settings):
    channels: int = 3


class SmallSettings(RunSettings):
    model: ModelSettings = ModelSettings()


class Small(Untrained[SmallSettings]):
    """One network of two layers, one of which has buffers too."""

    def networks(self) -> dict[str, nn.Module]:
        channels = self.settings.model.channels
        return {"generator": nn.Sequential(nn.Conv2d(3, channels, 3), nn.BatchNorm2d(channels))}

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        return {"output": networks.generator(batch["input"])}
