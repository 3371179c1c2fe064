"""Metrics of the boundaries of a segmentation: their overlap, and how far they are apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, distance_transform_edt
from torch import Tensor
from torch.nn import functional as F

from restore.core.metrics import PartialMetric
from restore.plugins.unet.metrics import class_maps, count_pixels, mean_of_present, number_classes, ratio

Maps = NDArray[np.bool_]


@dataclass(frozen=True)
class BoundaryIoU:
    """IoU of the pixels of each class that are close to its boundary (Cheng et al., 2021), pooled over the set.

    Close are pixels that an erosion by a square removes; beyond the edge of an image nothing belongs to a class. A mean
    over classes leaves out those that are nowhere; if none is anywhere, the result is 1.
    """

    classes: tuple[str, ...] = ("foreground",)
    threshold: float = 0.5
    width: float = 0.02
    """Width of the boundary as a fraction of the image's diagonal, at least one pixel."""
    name: ClassVar[str] = "boundary-iou"
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    @property
    def convention(self) -> str:
        """The pooling, the width, the threshold and the classes."""
        mean = f", mean of the present of {len(self.classes)} classes" if len(self.classes) > 1 else ""
        width = f"width {100 * self.width:g} % of the diagonal"
        return f"pooled over the set, {width}, threshold {self.threshold:g}{mean}"

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return counts (B, 3 C) of the boundary pixels of probabilities (B, C, H, W)."""
        distance = max(1, round(self.width * math.hypot(*prediction.shape[-2:])))
        maps = class_maps(prediction, target, self.threshold)
        return count_pixels(*(_inner_boundary(each, distance) for each in maps)).flatten(1)

    def reduce(self, rows: Tensor) -> float:
        """Return the score for pixel counts (N, 3 C)."""
        pooled = rows.double().reshape(len(rows), -1, 3).sum(0, keepdim=True)
        return float(mean_of_present(pooled, ratio(pooled, "iou")))


def _inner_boundary(maps: Tensor, distance: int) -> Tensor:
    """Return the pixels (B, C, H, W) of maps of zeros and ones that are at most ``distance`` from their outside."""
    outside = F.pad(1 - maps, (distance,) * 4, value=1.0)
    return maps * F.max_pool2d(outside, 2 * distance + 1, stride=1)


@dataclass(frozen=True)
class Hausdorff95(PartialMetric):
    """95th percentile of the distances between the boundaries of a class, in pixels.

    For each image and class the percentile is taken of the distances from each boundary pixel of the prediction to the
    nearest one of the target, and the other way round; the larger one counts. A class that is in neither is left out; a
    class that only one of them has counts as the diagonal of the image. Each class is averaged over its images, then
    the classes. The result is NaN if no image has any class.
    """

    classes: tuple[str, ...] = ("foreground",)
    threshold: float = 0.5
    name: ClassVar[str] = "hausdorff95"
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    @property
    def convention(self) -> str:
        """What counts, the threshold and the classes."""
        mean = f", mean of the present of {len(self.classes)} classes" if len(self.classes) > 1 else ""
        missing = "without images that have none, the diagonal if one has none"
        return f"pixels, mean over images, {missing}, threshold {self.threshold:g}{mean}"

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the distance of each class and whether it counts, (B, 2 C), of probabilities (B, C, H, W)."""
        found, right = (each.cpu().numpy() > 0 for each in class_maps(prediction, target, self.threshold))
        rows = [
            [number for pair in zip(*images, strict=True) for number in _distance(*pair)]
            for images in zip(found, right, strict=True)
        ]
        return torch.tensor(rows, dtype=torch.float64)

    def reduce(self, rows: Tensor) -> float:
        """Return the mean distance for statistics (N, 2 C)."""
        distances, counted = rows.double().reshape(len(rows), -1, 2).unbind(-1)
        images = counted.sum(0)
        means = (distances * counted).sum(0)[images > 0] / images[images > 0]
        return float(means.mean())


def _distance(found: Maps, right: Maps) -> tuple[float, float]:
    """Return the distance between two maps (H, W) and 1, or zeros if neither has a pixel."""
    if not found.any() and not right.any():
        return 0.0, 0.0
    if not found.any() or not right.any():
        return math.hypot(*found.shape), 1.0
    one, other = (each & ~binary_erosion(each) for each in (found, right))
    directed = (distance_transform_edt(~b)[a] for a, b in ((one, other), (other, one)))
    return max(float(np.percentile(distances, 95)) for distances in directed), 1.0


def build_boundary_iou(num_classes: int = 1, threshold: float = 0.5, width: float = 0.02) -> BoundaryIoU:
    """Build the metric of settings for classes that have numbers instead of names."""
    return BoundaryIoU(number_classes(num_classes), threshold, width)


def build_hausdorff(num_classes: int = 1, threshold: float = 0.5) -> Hausdorff95:
    """Build the metric of settings for classes that have numbers instead of names."""
    return Hausdorff95(number_classes(num_classes), threshold)
