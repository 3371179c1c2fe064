"""Classical inpainting and blending."""

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
    """Base of the classical inpainting methods; subclasses define `filled`."""

    @property
    @override
    def window(self) -> int:
        return sys.maxsize  # without a network there is no training size

    @abstractmethod
    def filled(self, image: Tensor, mask: Tensor) -> Tensor:
        """Return an image (3, H, W) on the CPU with its hole filled, where the mask (1, H, W) is one."""

    @override
    def fill(self, image: Tensor, mask: Tensor, networks: Networks) -> Tensor:
        filled = [self.filled(*each) for each in zip(image.cpu(), mask.cpu(), strict=True)]
        return torch.stack(filled).to(image.device)


class Mean(ClassicalInpainting):
    """Fills holes with the mean color of the known pixels."""

    @override
    def filled(self, image: Tensor, mask: Tensor) -> Tensor:
        return filling.fill_mean(image, mask)


class NearestKnown(ClassicalInpainting):
    """Fills each hole pixel with the nearest known pixel."""

    @override
    def filled(self, image: Tensor, mask: Tensor) -> Tensor:
        return filling.fill_nearest(image, mask)


class Smooth(ClassicalInpainting):
    """Fills holes with a smooth continuation that is much faster than `Biharmonic`."""

    @override
    def fill(self, image: Tensor, mask: Tensor, networks: Networks) -> Tensor:
        return fill_smoothly(image, mask).clamp(0, 1)

    @override
    def filled(self, image: Tensor, mask: Tensor) -> Tensor:
        return fill_smoothly(image[None], mask[None])[0].clamp(0, 1)


class Biharmonic(ClassicalInpainting):
    """Fills holes with the solution of the biharmonic equation, the smoothest continuation."""

    @override
    def filled(self, image: Tensor, mask: Tensor) -> Tensor:
        return filling.fill_biharmonic(image, mask)


class Poisson(Method[BlendingSettings, BlendingPredictOptions]):
    """Pastes a patch into an image without a visible seam."""

    @property
    @override
    def inputs(self) -> Mapping[str, ImageSpec]:
        """The image, the patch at its position, and a mask with ones where the patch is used."""
        return {"input": ImageSpec(), "patch": ImageSpec(), "mask": MASK}

    @property
    @override
    def tiling(self) -> Tiling:
        return Tiling("whole", halo=0)  # each value depends on the whole seam

    @override
    def read_inputs(self, path: Path, image: ImageFile) -> dict[str, Tensor]:
        """Read the image, and the patch and its mask at their position.

        Transparent pixels of the patch are not used; a warning is logged if no pixel is used. Raises UsageError if
        there is no patch or it does not fit, and DataError if the mask has another size than the patch.
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
        planes = zip(batch["input"].cpu(), batch["patch"].cpu(), batch["mask"].cpu(), strict=True)
        blended = torch.stack([poisson_blend(*each, mixed=self.predict_options.mixed).clamp(0, 1) for each in planes])
        return {"output": blended.to(batch["input"].device)}

    @override
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        return {}

    @override
    def evaluation_data(self, folder: Path | None) -> ImageDataset:
        raise UsageError("poisson cannot be evaluated: there is no target to compare a blended image with")


def _why(options: BlendingPredictOptions) -> str:
    """Return why no pixel of the patch is used."""
    if options.mask is None:
        return "all of it is transparent"
    return f"{options.mask} is white nowhere, or only where the patch is transparent"


def _size(image: Tensor) -> str:
    return f"{image.shape[-1]}x{image.shape[-2]}"
