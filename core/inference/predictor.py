"""What inference needs to know of a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from restore.core.dataset import Batch
from restore.core.networks import Networks
from restore.core.specs import ImageSpec, Tiling


class Predictor(Protocol):
    """Whatever can be applied to images; every `Method` is one."""

    @property
    def channels_last(self) -> bool:
        """Whether the networks are faster with the channels_last memory format."""
        ...

    @property
    def inputs(self) -> Mapping[str, ImageSpec]:
        """What a prediction is made from."""
        ...

    @property
    def main_input(self) -> str:
        """Name of the input whose size counts."""
        ...

    @property
    def outputs(self) -> Mapping[str, ImageSpec]:
        """What a prediction consists of."""
        ...

    @property
    def tiling(self) -> Tiling:
        """Whether and how large images may be cut into tiles."""
        ...

    def predict(self, batch: Batch, networks: Networks, /) -> Batch:
        """Outputs by name for inputs by name."""
        ...
