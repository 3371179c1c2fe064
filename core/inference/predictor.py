"""`Predictor`, the part of a method that inference needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from restore.core.dataset import Batch
from restore.core.networks import Networks
from restore.core.specs import ImageSpec, Tiling


class Predictor(Protocol):
    """Anything that can be applied to images, such as every `Method`."""

    @property
    def channels_last(self) -> bool:
        """Whether the networks run faster in the channels_last memory format."""
        ...

    @property
    def inputs(self) -> Mapping[str, ImageSpec]:
        """Specs of the inputs, by name."""
        ...

    @property
    def main_input(self) -> str:
        """Name of the input image; its size is the reference for all scales."""
        ...

    @property
    def outputs(self) -> Mapping[str, ImageSpec]:
        """Specs of the outputs, by name."""
        ...

    @property
    def tiling(self) -> Tiling:
        """How large images may be cut into tiles."""
        ...

    def predict(self, batch: Batch, networks: Networks, /) -> Batch:
        """Compute outputs by name for inputs by name."""
        ...
