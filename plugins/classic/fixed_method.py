"""Methods that have nothing to learn, as tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import nn

from restore.core.errors import NothingToTrain
from restore.core.planes import Tiling
from restore.core.steps import Batch, Phase, Step, Turn
from restore.core.task import Pictures, Task


class FixedMethod(Task):
    """Base of the methods: no networks, no phases, the whole picture at once."""

    def networks(self) -> dict[str, nn.Module]:
        """None."""
        return {}

    def phases(self) -> Sequence[Phase]:
        """None: there is nothing to learn."""
        return ()

    def data(self, split: Literal["train", "validation"], phase: Phase) -> Pictures:  # noqa: ARG002
        """What is measured without a folder; there is no other data without training."""
        return self.evaluation_data(None)

    def train_step(self, batch: Batch, turn: Turn, step: Step) -> None:  # noqa: ARG002
        """Raises NothingToTrain."""
        raise NothingToTrain(f"{type(self).__name__} is a fixed method and has nothing to train")

    @property
    def tiling(self) -> Tiling:
        """Never cut: a wave, a mean and a border go through the whole picture."""
        return Tiling("whole", halo=0)
