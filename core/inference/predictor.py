"""`Predictor`, the part of a method that inference needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from restore.core.dataset import Batch
from restore.core.inference.readers import ImageReader
from restore.core.networks import Networks
from restore.core.specs import ImageSpec, Tiling


@dataclass(frozen=True)
class Patch:
    """New values of some pixels of the main input, on the host."""

    top: int
    left: int
    values: Tensor
    """(C, h, w), in the range of the main output."""
    chosen: Tensor
    """Which pixels get new values, (1, h, w) bool."""

    @property
    def bottom(self) -> int:
        """The first row below."""
        return self.top + self.values.shape[-2]


class Predictor(ABC):
    """Declares what goes into a method and what comes out of it, and computes it; the base of `Method`."""

    channels_last: ClassVar[bool] = False
    """Whether the networks run faster in the channels_last memory format."""

    bytes_per_value: ClassVar[int] = 16
    """Memory that `predict` takes for each value of the largest output if it must see the whole image: at least four
    bytes for the input, the output and what lies between them."""

    equivariant: ClassVar[bool] = False
    """Whether the result for a flipped or turned image is the flipped or turned result, but for what training left
    unequal: `add_self_ensemble` may then average over all eight. False where up and down differ, as in faces."""

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

    def export_forward(self, batch: Batch, networks: Networks) -> Tensor:
        """Compute the main output of one image by tensor operations alone, in the same order for every image.

        ``restore export`` writes these operations, and ``--backend`` computes the networks that are called here. By
        default the main output of `predict`. A method that looks at values, as for windows around holes, overrides it.

        Args:
            batch: inputs (1, C, H, W) by name; height and width may be symbols.
            networks: the networks in evaluation mode.

        Raises:
            NotExportable: the method cannot be written like that; the message says why.
        """
        return self.predict(batch, networks)[self.main_output]

    def export_multiple_of(self, networks: Networks) -> int:
        """Return what height and width of an image must be multiples of for `export_forward`.

        By default that of `tiling`. Networks that pad images by themselves do so in another way for each size, which
        no graph can; a method returns the multiple for which they pad nothing.
        """
        return self.tiling.multiple_of

    def patches(
        self, inputs: Mapping[str, ImageReader], networks: Networks, device: torch.device
    ) -> Iterator[Patch] | None:
        """Return the patches that turn the main input into the main output, if the method changes only parts of it.

        The engine then needs memory for the patches instead of the whole image. It advances the iterator in inference
        mode and with the precision asked for. By default None: the method has no patches.

        Args:
            inputs: the inputs, of any size.
            networks: the networks in evaluation mode, on ``device``.
            device: where to compute.

        Returns:
            The patches in the order of their first rows. They replace `predict`, and must give what it gives.
        """
        return None
