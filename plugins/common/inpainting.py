"""What every family that fills holes shares: its inputs, how it is used on pictures of any size, its numbers."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from restore import registry
from restore.core.errors import DataError, UsageError
from restore.core.measuring import EvaluationProtocol
from restore.core.pictures import Picture
from restore.core.task import Batch, Modules, Pictures, Plane, Task, Tiling
from restore.plugins.common.hole_metrics import filling_protocols, measured
from restore.plugins.common.holes import evaluation_holes
from restore.plugins.common.mask_settings import FillingEvaluate, FillingPredict
from restore.plugins.common.masks import mask_of, read_mask

MASK = Plane(channels=1, padding="zero", smooth=False)

_log = logging.getLogger(__name__)


class Inpainting(Task):
    """Base of the families that fill holes: everything but the networks, their training, and `fill`."""

    @property
    def window(self) -> int:
        """Largest side in pixels at which the networks are used at once; larger holes are filled coarse to fine."""
        return 256

    @abstractmethod
    def fill(self, picture: Tensor, mask: Tensor, modules: Modules) -> Tensor:
        """Pictures (B, 3, H, W) in [0, 1] without holes, for pictures that are black where masks (B, 1, H, W) are one.

        H and W are any numbers: a network that needs multiples pads and crops here.
        """

    # --- using ------------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> Mapping[str, Plane]:
        """The picture, and a mask with one in the hole; what the picture shows there does not matter."""
        return {"input": Plane(), "mask": MASK}

    @property
    def tiling(self) -> Tiling:
        """Never cut by the engine: holes are, with what is around them."""
        return Tiling("whole", halo=0)

    def read_inputs(self, path: Path, picture: Picture) -> dict[str, Tensor]:
        """The picture and its mask. Raises UsageError without a mask, DataError when sizes differ or all is hole."""
        masks = self.options.mask if isinstance(self.options, FillingPredict) else None
        if masks is None:
            raise UsageError(f"{path}: where is the hole? Give --mask FILE, a picture that is white there")
        file = mask_of(path, masks)
        mask = read_mask(file)
        if mask.shape[-2:] != picture.colour.shape[-2:]:
            raise DataError(f"{file}: {_size(mask)} pixels, but {path} has {_size(picture.colour)}")
        return {"input": picture.colour, "mask": mask}

    def predict(self, batch: Batch, modules: Modules) -> Batch:
        """The picture, bit for bit, with its holes filled by values in [0, 1]."""
        pictures, masks = batch["input"], batch["mask"]
        filled = self.fill(pictures * (1 - masks), masks, modules).clamp(0, 1).to(pictures.dtype)
        return {"output": torch.where(masks > 0.5, filled, pictures)}

    # --- measuring --------------------------------------------------------------------------------------------

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """Inside the hole, and over the whole picture."""
        return filling_protocols()

    def evaluation_data(self, folder: Path | None) -> Pictures:
        """Pictures with masks, or pictures in which holes are made as the options say."""
        options = self.options if isinstance(self.options, FillingEvaluate) else FillingEvaluate()
        return evaluation_holes(folder, options.masks)

    def measure(self, batch: Batch, modules: Modules, protocol: EvaluationProtocol) -> dict[str, Tensor]:
        """Statistics of each picture; those of the hole see the mask."""
        return measured(self.predict(batch, modules)["output"], batch, protocol)

    def baselines(self) -> Mapping[str, Task]:
        """The mean colour and the nearest known pixel."""
        methods = {name: registry.get("tasks", f"classic/{name}") for name in ("mean", "nearest-known")}
        return {name: method(method.settings_type()) for name, method in methods.items()}


def _size(picture: Tensor) -> str:
    return f"{picture.shape[-1]}x{picture.shape[-2]}"
