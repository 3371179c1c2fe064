"""What every family that fills holes shares: its inputs, how it is used on pictures of any size, its numbers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from restore import registry
from restore.core.errors import DataError, UsageError
from restore.core.measuring import EvaluationProtocol
from restore.core.pictures.files import Picture
from restore.core.planes import Plane, Rendered, Tiling
from restore.core.steps import Batch, Modules
from restore.core.task import Pictures, Task
from restore.plugins.common.inpainting.blending import blend
from restore.plugins.common.inpainting.dataset import evaluation_holes
from restore.plugins.common.inpainting.mask_input import read_input_mask
from restore.plugins.common.inpainting.metrics import filling_protocols, measured
from restore.plugins.common.inpainting.windowed import WindowedInpainting, mask_regions
from restore.plugins.common.masks.settings import FillingEvaluate, FillingPredict, MaskSettings

MASK = Plane(channels=1, padding="zero", smooth=False)


class Inpainting(Task):
    """Base of the families that fill holes: everything but the networks, their training, and `fill`."""

    renders: ClassVar[tuple[str, ...]] = ("",)

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
        """The picture and its mask; see `read_input_mask` for what may be wrong with it.

        Raises UsageError for a feather that goes beyond what is worked on with a hole.
        """
        options = self.options if isinstance(self.options, FillingPredict) else None
        mask = read_input_mask(path, picture, options)
        if options is not None:
            self._refuse_wide_feather(path, options.feather, mask)
        return {"input": picture.colour, "mask": mask}

    def _refuse_wide_feather(self, path: Path, feather: int, mask: Tensor) -> None:
        """Raise UsageError where a fade around a hole (1, H, W) would end where the network's answer does."""
        window, context = self._worked_on()
        if max(mask.shape[-2:]) <= window or feather <= context:
            return
        for box, _ in mask_regions(mask, context // 2):
            if box.largest_side + 2 * feather > window:
                raise UsageError(
                    f"{path}: --feather {feather} is too wide: a hole and its surroundings do not fit into the window "
                    f"of {window} pixels, and then {context} around it are worked on; give up to --feather {context}, "
                    "a larger --context (less than half of the window), or a larger --window"
                )

    def predict(self, batch: Batch, modules: Modules) -> Batch:
        """The picture with its holes filled by values in [0, 1]; outside them it is the same, bit for bit.

        Only options of `FillingPredict` change something outside the hole. Raises DataError where all is hole.
        """
        options = self.options if isinstance(self.options, FillingPredict) else FillingPredict()
        pictures, masks = batch["input"], (batch["mask"] > 0.5).to(batch["input"].dtype)
        if bool(masks.flatten(1).all(1).any()):
            raise DataError("all of the picture is hole: nothing is left to fill it from")
        window, context = self._worked_on()
        if not masks.any():
            return {"output": pictures}
        if max(pictures.shape[-2:]) <= window:
            answers = self.fill(pictures * (1 - masks), masks, modules).to(pictures.dtype)
        else:
            windowed = WindowedInpainting(
                lambda picture, mask: self.fill(picture, mask, modules), window, context, options.feather
            )
            answers = torch.stack([windowed.inpaint(*each) for each in zip(pictures, masks, strict=True)])
        put = [
            blend(*each, feather=options.feather, poisson=options.blend == "poisson")
            for each in zip(answers, pictures, masks, strict=True)
        ]
        return {"output": torch.stack(put)}

    def _worked_on(self) -> tuple[int, int]:
        """Largest side that is worked on at once, and how much of it is around a hole in larger pictures, in pixels."""
        options = self.options if isinstance(self.options, FillingPredict) else FillingPredict()
        window = options.window or self.window
        return window, min(options.context or window // 4, (window - 1) // 2)

    def render(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor | Rendered]:  # noqa: ARG002
        """The filled picture; what was found by being transparent is opaque now."""
        by_alpha = isinstance(self.options, FillingPredict) and self.options.automatic == "alpha"
        return {"": Rendered(outputs["output"], alpha=not by_alpha)}

    # --- measuring --------------------------------------------------------------------------------------------

    @property
    def masks(self) -> MaskSettings:
        """The holes of this use: those of an evaluation's options, or of the run's settings."""
        if isinstance(self.options, FillingEvaluate):
            return self.options.masks
        masks = getattr(self.settings, "masks", None)
        return masks if isinstance(masks, MaskSettings) else MaskSettings()

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """``inpainting``, ``kinds`` and ``buckets``; a run with several kinds of drawn holes tells each of them."""
        found = filling_protocols(self.masks.kinds)
        training = self.options is None and bool(self.phases())
        several = self.masks.folder is None and len(self.masks.kinds) > 1
        first = "kinds" if training and several else "inpainting"
        return {first: found[first], **found}

    def evaluation_data(self, folder: Path | None) -> Pictures:
        """Pictures with masks, or pictures in which holes are made as the options say."""
        return evaluation_holes(folder, self.masks)

    def measure(self, batch: Batch, modules: Modules, protocol: EvaluationProtocol) -> dict[str, Tensor]:
        """Statistics of each picture; those of the hole see the mask."""
        return measured(self.predict(batch, modules)["output"], batch, protocol)

    def baselines(self) -> Mapping[str, Task]:
        """The mean colour and the nearest known pixel."""
        methods = {name: registry.get("tasks", f"classic/{name}") for name in ("mean", "nearest-known")}
        return {name: method(method.settings_type()) for name, method in methods.items()}
