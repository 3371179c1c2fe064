"""`Predictor`, the part of a method that inference needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from restore.core.dataset import Batch
from restore.core.networks import Networks
from restore.core.specs import ImageSpec, Tiling


class Predictor(ABC):
    """Declares what goes into a method and what comes out of it, and computes it; the base of `Method`."""

    channels_last: ClassVar[bool] = False
    """Whether the networks run faster in the channels_last memory format."""

    @property
    def inputs(self) -> Mapping[str, ImageSpec]:
        """Specs of the inputs, by name."""
        return {"input": ImageSpec()}

    @property
    def main_input(self) -> str:
        """Name of the input image. The scales of all other inputs and outputs are relative to it."""
        return "input"

    @property
    def outputs(self) -> Mapping[str, ImageSpec]:
        """Specs of the outputs, by name."""
        return {"output": ImageSpec()}

    @property
    def main_output(self) -> str:
        """Name of the output that is written and measured by default."""
        return "output"

    @property
    def tiling(self) -> Tiling:
        """How large images may be cut into tiles."""
        return Tiling()

    @abstractmethod
    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Compute the outputs of a batch.

        Args:
            batch: inputs (B, C, H, W) by name.
            networks: the networks in evaluation mode, without gradients.

        Returns:
            Outputs (B, C, H, W) by name.
        """
