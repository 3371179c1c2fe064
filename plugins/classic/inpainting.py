"""Classical inpainting and blending."""

from __future__ import annotations

import logging
import sys
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import torch
from torch import Tensor
from typing_extensions import override

from restore.core.dataset import Batch, ImageDataset
from restore.core.errors import DataError, UsageError
from restore.core.images.files import ImageFile, read_image
from restore.core.inference.canvas import AUTO_PIXELS
from restore.core.inference.predictor import Patch
from restore.core.inference.readers import ImageReader
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.specs import ImageSpec, Tiling
from restore.plugins.classic import filling
from restore.plugins.classic.settings import BlendingPredictOptions, BlendingSettings, InpaintingSettings
from restore.plugins.common.inpainting.blending import poisson_blend
from restore.plugins.common.inpainting.hole import is_gray_outside, iterate_strips
from restore.plugins.common.inpainting.prefill import fill_smoothly
from restore.plugins.common.inpainting.regions import Box, Hole, find_groups
from restore.plugins.common.inpainting.task import MASK, Inpainting
from restore.plugins.common.masks.reading import dilate, read_mask

_log = logging.getLogger(__name__)


class ClassicalInpainting(Inpainting[InpaintingSettings]):
    """Base of the classical inpainting methods; subclasses define `filled`."""

    @property
    @override
    def window(self) -> int:
        return sys.maxsize  # without a network there is no training size

    @abstractmethod
    def fill_one(self, image: Tensor, mask: Tensor) -> Tensor:
        """Return an image (3, H, W) on the CPU with its hole filled, where the mask (1, H, W) is one."""

    @abstractmethod
    def margin(self, box: Box) -> int:
        """Return how many pixels around a group of holes its values depend on, or as good as depend on."""

    @override
    def single_patch(
        self, reader: ImageReader, hole: Hole, networks: Networks, device: torch.device
    ) -> Iterator[Patch]:
        """Fill each group of holes by itself in an image that is too large to be processed at once.

        Values equal those of the whole image, but for `Smooth`, which sees farther than its margin, and `Biharmonic`,
        which clips them to the range of the known pixels that it sees.
        """
        if hole.size <= AUTO_PIXELS:
            yield from super().single_patch(reader, hole, networks, device)
            return
        prepared = self.prepare(reader, hole)
        feather, gray = self.predict_options.feather, is_gray_outside(reader, hole)
        for box, own in find_groups(hole, gap=4):
            seen = box.widen(max(self.margin(box), feather + 1), *hole.shape)
            image = reader.window(seen.rows, seen.columns)
            mask = torch.from_numpy(hole[seen.rows, seen.columns])[None].float()
            chosen = torch.zeros_like(mask)
            chosen[box.relative_to(seen).place] = torch.from_numpy(own)[None].float()
            values = self.blend(prepared.fill_one(image * (1 - mask), mask), image, chosen, gray)
            used = (dilate(chosen, feather) > 0.5) & ((chosen > 0.5) | (mask <= 0.5))
            yield Patch(seen.top, seen.left, values, used)

    def prepare(self, reader: ImageReader, hole: Hole) -> Self:  # noqa: ARG002  # for overrides
        """Return the method for the parts of one image, if they need to know something of all of it."""
        return self

    @override
    def fill(self, image: Tensor, mask: Tensor, networks: Networks) -> Tensor:
        filled = [self.fill_one(*each) for each in zip(image.cpu(), mask.cpu(), strict=True)]
        return torch.stack(filled).to(image.device)


class Mean(ClassicalInpainting):
    """Fills holes with the mean color of the known pixels."""

    _mean: Tensor | None = None
    """Mean color (3, 1, 1) of an image of which only parts are filled."""

    @override
    def margin(self, box: Box) -> int:
        return 0

    @override
    def prepare(self, reader: ImageReader, hole: Hole) -> Self:
        total, count = torch.zeros(3, dtype=torch.float64), int(hole.size - hole.sum())
        for rows in iterate_strips(*hole.shape):
            known = torch.from_numpy(~hole[rows])
            total += (reader.window(rows, slice(0, hole.shape[1])) * known).double().sum((1, 2))
        other = self.with_options(predict=self.predict_options)
        other._mean = (total / count).float()[:, None, None]
        return other

    @override
    def fill_one(self, image: Tensor, mask: Tensor) -> Tensor:
        if self._mean is not None:
            return torch.where(mask > 0.5, self._mean, image)
        return filling.fill_mean(image, mask)


class NearestKnown(ClassicalInpainting):
    """Fills each hole pixel with the nearest known pixel."""

    @override
    def margin(self, box: Box) -> int:
        return box.largest_side  # the next pixel beyond the box is not farther

    @override
    def fill_one(self, image: Tensor, mask: Tensor) -> Tensor:
        return filling.fill_nearest(image, mask)


class Smooth(ClassicalInpainting):
    """Fills holes with a smooth continuation that is much faster than `Biharmonic`."""

    @override
    def margin(self, box: Box) -> int:
        return max(64, 2 * box.largest_side)  # farther pixels have next to no weight

    @override
    def fill(self, image: Tensor, mask: Tensor, networks: Networks) -> Tensor:
        return fill_smoothly(image, mask).clamp(0, 1)

    @override
    def fill_one(self, image: Tensor, mask: Tensor) -> Tensor:
        return fill_smoothly(image[None], mask[None])[0].clamp(0, 1)


class Biharmonic(ClassicalInpainting):
    """Fills holes with the solution of the biharmonic equation, the smoothest continuation."""

    @override
    def margin(self, box: Box) -> int:
        return 8  # its equations look two pixels far

    @override
    def fill_one(self, image: Tensor, mask: Tensor) -> Tensor:
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
