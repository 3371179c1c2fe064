"""The task: which images the network sees and what it learns from them.

The base class reads masks, cuts holes out of large images, measures, and compares with the classical fills.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from torch import Tensor, nn
from typing_extensions import override

from restore.core import Batch, ImageDataset, Networks, Phase, RunSettings, TrainStep
from restore.plugins.common.inpainting.dataset import inpainting_images
from restore.plugins.common.inpainting.losses import MaskedL1
from restore.plugins.common.inpainting.task import InpaintingTask
from restore_infill.network import InfillNetwork
from restore_infill.settings import InfillSettings


class InfillTask(InpaintingTask[InfillSettings]):
    """Fill holes in photographs."""

    @classmethod
    def tiny_settings(cls, **changes: Any) -> RunSettings:
        """Return settings of a run of a second, for tests; keep it that small if you change the network."""
        return super().tiny_settings(**{"model": {"channels": 4, "levels": 2}, "crop_size": 16, **changes})

    def networks(self) -> dict[str, nn.Module]:
        """Build the network; a weights file stores it."""
        return {"generator": InfillNetwork(self.settings.model.channels, self.settings.model.levels)}

    # --- training ---------------------------------------------------------------------------------------------

    def phases(self) -> Sequence[Phase]:
        """Return one phase, which keeps the weights with the highest PSNR inside the hole."""
        return [Phase("train", self.settings.epochs, {"generator": self.settings.optimizer}, monitor="masked-psnr")]

    @override
    def dataset(self, split: Literal["train", "validation"], phase: Phase) -> ImageDataset:
        """Return crops with random holes for training, squares with fixed holes for validation.

        With --data the images may be a folder, or images/ and masks/.
        """
        size = self.settings.crop_size
        return inpainting_images(split, self.settings, self.settings.masks, size, window=2 * size)

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        """Do one step; change the loss here. A loss function only calls networks, each of them once."""
        step.optimize("generator", lambda nets: MaskedL1()(nets.generator(batch["input"], batch["mask"]), batch))

    # --- using ------------------------------------------------------------------------------------------------

    @property
    def window(self) -> int:
        """Declare the largest side at which the network is used at once; larger holes are filled coarse to fine."""
        return 2 * self.settings.crop_size

    def fill(self, image: Tensor, mask: Tensor, networks: Networks) -> Tensor:
        """Fill images (B, 3, H, W), black where masks (B, 1, H, W) are one, of any height and width."""
        filled: Tensor = networks.generator(image, mask)
        return filled.clamp(0, 1)
