"""What every family that fills holes shares: its inputs, how it is used on images of any size, its numbers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from typing_extensions import override

from restore import registry
from restore.core.dataset import Batch, ImageDataset
from restore.core.errors import DataError, UsageError
from restore.core.images.files import ImageFile, OutputImage
from restore.core.method import Method, S
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.specs import ImageSpec, Tiling
from restore.core.task import R, Task
from restore.plugins.common.inpainting.blending import blend
from restore.plugins.common.inpainting.dataset import evaluation_images
from restore.plugins.common.inpainting.mask_input import read_input_mask
from restore.plugins.common.inpainting.metrics import inpainting_protocols, measured
from restore.plugins.common.inpainting.windowed import WindowedInpainting, mask_regions
from restore.plugins.common.masks.settings import InpaintingEvaluateOptions, InpaintingPredictOptions, MaskSettings

MASK = ImageSpec(channels=1, padding="zero", smooth=False)


class Inpainting(Method[S, InpaintingPredictOptions, InpaintingEvaluateOptions]):
    """Base of what fills holes, learned or classical: everything but the networks, their training, and `fill`."""

    @property
    def window(self) -> int:
        """Largest side in pixels at which the networks are used at once; larger holes are filled coarse to fine."""
        return 256

    @abstractmethod
    def fill(self, image: Tensor, mask: Tensor, networks: Networks) -> Tensor:
        """Images (B, 3, H, W) in [0, 1] without holes, for images that are black where masks (B, 1, H, W) are one.

        H and W are any numbers: a network that needs multiples pads and crops here.
        """

    # --- using ------------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> Mapping[str, ImageSpec]:
        """The image, and a mask with one in the hole; what the image shows there does not matter."""
        return {"input": ImageSpec(), "mask": MASK}

    @property
    def tiling(self) -> Tiling:
        """Never cut by the engine: holes are, with what is around them."""
        return Tiling("whole", halo=0)

    def read_inputs(self, path: Path, image: ImageFile) -> dict[str, Tensor]:
        """The image and its mask; see `read_input_mask` for what may be wrong with it.

        Raises UsageError for a feather that goes beyond what is worked on with a hole.
        """
        mask = read_input_mask(path, image, self.predict_options)
        self._refuse_wide_feather(path, self.predict_options.feather, mask)
        return {"input": image.color, "mask": mask}

    def _refuse_wide_feather(self, path: Path, feather: int, mask: Tensor) -> None:
        """Raise UsageError where a fade around a hole (1, H, W) would end where the network's answer does."""
        window, context = self._worked_on()
        if max(mask.shape[-2:]) <= window or feather <= context:
            return
        for box, _ in mask_regions(mask, context // 2):
            if box.largest_side + 2 * feather > window:
                raise UsageError(
                    f"{path}: --feather {feather} is too wide: the hole with its feather does not fit into the window "
                    f"of {window} pixels, so only {context} pixels around it are processed; use --feather {context} "
                    "or less, a larger --context (less than half of the window), or a larger --window"
                )

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """The image with its holes filled by values in [0, 1]; outside them it is the same, bit for bit.

        Only options of `InpaintingPredictOptions` change something outside the hole. Raises DataError where all is
        hole.
        """
        options = self.predict_options
        images, masks = batch["input"], (batch["mask"] > 0.5).to(batch["input"].dtype)
        if bool(masks.flatten(1).all(1).any()):
            raise DataError("the mask covers the whole image, so no known pixel is left")
        window, context = self._worked_on()
        if not masks.any():
            return {"output": images}
        if max(images.shape[-2:]) <= window:
            answers = self.fill(images * (1 - masks), masks, networks).to(images.dtype)
        else:
            windowed = WindowedInpainting(
                lambda image, mask: self.fill(image, mask, networks), window, context, options.feather
            )
            answers = torch.stack([windowed.inpaint(*each) for each in zip(images, masks, strict=True)])
        put = [
            blend(*each, feather=options.feather, poisson=options.blend == "poisson")
            for each in zip(answers, images, masks, strict=True)
        ]
        return {"output": torch.stack(put)}

    def _worked_on(self) -> tuple[int, int]:
        """Largest side that is worked on at once, and how much of it is around a hole in larger images, in pixels."""
        options = self.predict_options
        window = options.window or self.window
        return window, min(options.context or window // 4, (window - 1) // 2)

    @override
    def render(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor | OutputImage]:
        """The filled image; what was found by being transparent is opaque now."""
        return {"": OutputImage(outputs["output"], alpha=self.predict_options.automatic != "alpha")}

    # --- measuring --------------------------------------------------------------------------------------------

    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """``inpainting``, ``kinds`` and ``buckets``."""
        return inpainting_protocols(self.evaluate_options.masks.kinds)

    @property
    @override
    def default_protocol(self) -> str:
        return "inpainting"

    def evaluation_data(self, folder: Path | None) -> ImageDataset:
        """Images with masks, or images in which holes are made as the options say."""
        return evaluation_images(folder, self.evaluate_options.masks)

    def measure(self, batch: Batch, networks: Networks, protocol: EvaluationProtocol) -> dict[str, Tensor]:
        """Statistics of each image; those of the hole see the mask."""
        return measured(self.predict(batch, networks)["output"], batch, protocol)


class InpaintingTask(Inpainting[R], Task[R, InpaintingPredictOptions, InpaintingEvaluateOptions]):
    """Base of the families that learn to fill holes: everything but the networks, their training, and `fill`."""

    @property
    @override
    def training_protocol(self) -> EvaluationProtocol:
        """``inpainting``, or ``kinds`` for a run on several kinds of drawn holes: its log shows each of them."""
        masks: MaskSettings = self.settings.masks  # type: ignore[attr-defined]  # every such family has them
        several = masks.folder is None and len(masks.kinds) > 1
        return inpainting_protocols(masks.kinds)["kinds" if several else "inpainting"]

    def baselines(self) -> Mapping[str, Method]:
        """The mean color, the nearest known pixel, and a smooth continuation."""
        methods = {name: registry.get("tasks", f"classic/{name}") for name in ("mean", "nearest-known", "smooth")}
        return {name: method(method.settings_type()) for name, method in methods.items()}
