"""Methods that fill holes or blend patches and have nothing to learn."""

from __future__ import annotations

import logging
import sys
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from typing_extensions import override

from restore.core.dataset import Batch, ImageDataset
from restore.core.errors import DataError, UsageError
from restore.core.images.files import ImageFile, read_image
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.specs import ImageSpec, Tiling
from restore.plugins.classic import filling
from restore.plugins.classic.settings import BlendingPredictOptions, BlendingSettings, InpaintingSettings
from restore.plugins.common.inpainting.blending import poisson_blend
from restore.plugins.common.inpainting.prefill import fill_smoothly
from restore.plugins.common.inpainting.task import MASK, Inpainting
from restore.plugins.common.masks.reading import read_mask

_log = logging.getLogger(__name__)


class ClassicalInpainting(Inpainting[InpaintingSettings]):
    """Base of the methods that fill holes: everything but `filled`."""

    @property
    @override
    def window(self) -> int:
        """No side is too large: a method without a network has no size that it was made for."""
        return sys.maxsize

    @abstractmethod
    def filled(self, image: Tensor, mask: Tensor) -> Tensor:
        """An image (3, H, W) on the host without its hole, where the mask (1, H, W) is one."""

    @override
    def fill(self, image: Tensor, mask: Tensor, networks: Networks) -> Tensor:
        """Each image for itself, on the host."""
        filled = [self.filled(*each) for each in zip(image.cpu(), mask.cpu(), strict=True)]
        return torch.stack(filled).to(image.device)


class Mean(ClassicalInpainting):
    """The mean color."""

    @override
    def filled(self, image: Tensor, mask: Tensor) -> Tensor:
        """See `filling.mean_filled`."""
        return filling.mean_filled(image, mask)


class NearestKnown(ClassicalInpainting):
    """The nearest known pixel."""

    @override
    def filled(self, image: Tensor, mask: Tensor) -> Tensor:
        """See `filling.nearest_filled`."""
        return filling.nearest_filled(image, mask)


class Smooth(ClassicalInpainting):
    """A smooth continuation, in a fraction of the time of the smoothest."""

    @override
    def fill(self, image: Tensor, mask: Tensor, networks: Networks) -> Tensor:
        """See `prefill.fill_smoothly`; a whole batch at once, on its device."""
        return fill_smoothly(image, mask).clamp(0, 1)

    @override
    def filled(self, image: Tensor, mask: Tensor) -> Tensor:
        """The same of one image."""
        return fill_smoothly(image[None], mask[None])[0].clamp(0, 1)


class Biharmonic(ClassicalInpainting):
    """The smoothest continuation."""

    @override
    def filled(self, image: Tensor, mask: Tensor) -> Tensor:
        """See `filling.biharmonic_filled`."""
        return filling.biharmonic_filled(image, mask)


class Poisson(Method[BlendingSettings, BlendingPredictOptions]):
    """A patch without a seam."""

    @property
    @override
    def inputs(self) -> Mapping[str, ImageSpec]:
        """The image, the patch laid over it, and a mask with one where the patch is taken."""
        return {"input": ImageSpec(), "patch": ImageSpec(), "mask": MASK}

    @property
    @override
    def tiling(self) -> Tiling:
        """Never cut: a border goes through the whole image."""
        return Tiling("whole", halo=0)

    @override
    def read_inputs(self, path: Path, image: ImageFile) -> dict[str, Tensor]:
        """The image, and the patch with its mask in place.

        What cannot be seen of the patch is not taken; where nothing is, a warning is logged. Raises UsageError without
        a patch or where it does not fit, DataError when the mask has another size than it.
        """
        options = self.predict_options
        if options.patch is None:
            raise UsageError(f"{path}: no patch given; use --patch FILE")
        laid = read_image(options.patch)
        patch, mask = laid.color, torch.ones_like(laid.color[:1])
        if options.mask is not None:
            mask = read_mask(options.mask)
        if mask.shape[-2:] != patch.shape[-2:]:
            raise DataError(
                f"{options.mask}: the mask has {_size(mask)} pixels, but {options.patch} has {_size(patch)}; "
                "they must have the same size"
            )
        if laid.alpha is not None:
            mask = mask * (laid.alpha > 0.5)
        if not bool(mask.any()):
            _log.warning(
                "%s: no pixel of %s is used, because %s; the image is unchanged", path, options.patch, _why(options)
            )
        places = []
        for axis, wish in ((-2, options.top), (-1, options.left)):
            room = image.color.shape[axis] - patch.shape[axis]
            first = room // 2 if wish is None else wish
            if not 0 <= first <= room:
                raise UsageError(
                    f"{options.patch}: the patch ({_size(patch)}) does not fit into {path} ({_size(image.color)}) at "
                    "this position; use a smaller patch, or other values of --top and --left"
                )
            places.append(slice(first, first + patch.shape[axis]))
        whole, chosen = image.color.clone(), torch.zeros_like(image.color[:1])
        whole[:, places[0], places[1]] = patch
        chosen[:, places[0], places[1]] = mask
        return {"input": image.color, "patch": whole, "mask": chosen}

    @override
    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """The blended image, in [0, 1]."""
        planes = zip(batch["input"].cpu(), batch["patch"].cpu(), batch["mask"].cpu(), strict=True)
        blended = torch.stack([poisson_blend(*each, mixed=self.predict_options.mixed).clamp(0, 1) for each in planes])
        return {"output": blended.to(batch["input"].device)}

    @override
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        """None: there is no right answer to compare with."""
        return {}

    @override
    def evaluation_data(self, folder: Path | None) -> ImageDataset:
        """Raises UsageError."""
        raise UsageError("poisson cannot be evaluated: there is no target to compare a blended image with")


def _why(options: BlendingPredictOptions) -> str:
    """Why nothing of a patch is taken."""
    if options.mask is None:
        return "all of it is transparent"
    return f"{options.mask} is white nowhere, or only where the patch is transparent"


def _size(image: Tensor) -> str:
    return f"{image.shape[-1]}x{image.shape[-2]}"
