"""IoU and Dice with the usual ways of averaging, each under a name of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from restore.core.metrics import EvaluationProtocol, Metric
from restore.core.runtime.devices import device_of_float64, in_float64
from restore.core.training_step import Loss
from restore.plugins.unet.targets import one_hot_target

Score = Literal["iou", "dice"]
Pooling = Literal["set", "image", "batch"]


def class_maps(prediction: Tensor, target: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Return which pixels are found to be of each class, and which are, (B, C, H, W), float64, of zeros and ones.

    With class numbers the most probable class counts, with overlapping classes every class above ``threshold``. Target
    maps count above 0.5. Pixels of unknown class are of none.

    Args:
        prediction: probabilities (B, C, H, W).
        target: a target that `one_hot_target` reads.
        threshold: threshold of the prediction.
    """
    place, classes = device_of_float64(prediction.device), prediction.shape[1]
    prediction, target = prediction.to(place), target.to(place)
    right = one_hot_target(target, classes, torch.float64)
    if right.multiclass:
        winners = prediction.argmax(dim=1, keepdim=True)
        found = (winners == torch.arange(classes, device=winners.device).view(-1, 1, 1)).double()
    else:
        found = (prediction > threshold).double()
    if right.known is not None:
        found = found * right.known
    return found, (right.maps > 0.5).double()


def counts(prediction: Tensor, target: Tensor, threshold: float) -> Tensor:
    """Return pixel counts of each class, (B, C, 3), float64: in both, in the prediction, in the target.

    Arguments as `class_maps`.
    """
    return count_pixels(*class_maps(prediction, target, threshold))


def count_pixels(found: Tensor, right: Tensor) -> Tensor:
    """Return the counts (B, C, 3) of two maps (B, C, H, W) of zeros and ones: in both, in the first, in the second."""
    return torch.stack([(found * right).sum((2, 3)), found.sum((2, 3)), right.sum((2, 3))], dim=-1)


def ratio(counted: Tensor, score: Score, smooth: float = 0.0) -> Tensor:
    """Return IoU or Dice of pixel counts (…, 3) as from ``counts``; 1 if both prediction and target are empty."""
    both, found, right = counted.unbind(-1)
    above, below = (both, found + right - both) if score == "iou" else (2 * both, found + right)
    if smooth:
        return (above + smooth) / (below + smooth)
    return torch.where(below > 0, above / below.clamp(min=1), torch.ones_like(above))


@dataclass(frozen=True)
class Overlap:
    """IoU or Dice of thresholded probabilities; a mean over classes leaves out those that are nowhere.

    ``pooling`` is the set of pixels that are counted before the division: the whole set, an image, or a batch as in
    pytorch-nested-unet. The latter is the mean IoU of batches of ``batch`` images in order, weighted by their sizes,
    with all classes together and 1e-5 added to numerator and denominator; it depends on the batch size. For set and
    image, an empty prediction of an image without foreground counts 1.
    """

    score: Score = "iou"
    pooling: Pooling = "set"
    classes: tuple[str, ...] = ("foreground",)
    only: str | None = None
    """Measure this class alone; None: the mean over the classes."""
    threshold: float = 0.5
    batch: int = 16
    better: Literal["higher", "lower"] = "higher"

    @property
    def name(self) -> str:
        """Such as ``iou``, ``iou-image``, ``iou-batch`` or ``iou[nucleus]``; with a threshold other than 0.5
        ``iou@0.30``."""
        name = self.score if self.pooling == "set" else f"{self.score}-{self.pooling}"
        name += f"[{self.only}]" if self.only else ""
        return name if self.threshold == 0.5 else f"{name}@{self.threshold:.2f}"

    @property
    def convention(self) -> str:
        """The pooling, the threshold and the classes."""
        pooled = {
            "set": "pooled over the set",
            "image": "mean over images",
            "batch": f"pooled over batches of {self.batch} and all classes, as pytorch-nested-unet",
        }[self.pooling]
        mean = (
            f", mean of the present of {len(self.classes)} classes" if len(self.classes) > 1 and not self.only else ""
        )
        if self.pooling == "batch":
            mean = ""
        return f"{pooled}, threshold {self.threshold:g}{mean}"

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return pixel counts (B, 3 C) of probabilities (B, C, H, W)."""
        found = counts(prediction, target, self.threshold)
        if self.only is not None:
            place = self.classes.index(self.only)
            found = found[:, place : place + 1]
        return found.flatten(1)

    def reduce(self, rows: Tensor) -> float:
        """Return the score for pixel counts (N, 3 C)."""
        per_class = rows.double().reshape(len(rows), -1, 3)
        if self.pooling == "batch":
            groups = torch.split(per_class, self.batch)
            pooled = [group.sum((0, 1)) for group in groups]
            sizes = torch.tensor([len(group) for group in groups], dtype=torch.float64)
            scores = torch.stack([ratio(group, self.score, smooth=1e-5) for group in pooled]).cpu()
            return float((scores * sizes).sum() / sizes.sum())
        if self.pooling == "set":
            per_class = per_class.sum(0, keepdim=True)
        return float(mean_of_present(per_class, ratio(per_class, self.score)).mean())


def mean_of_present(counted: Tensor, scores: Tensor) -> Tensor:
    """Return the mean (N,) of scores (N, C) over the classes that are anywhere; 1 if none is."""
    present = (counted[..., 1:].sum(-1) > 0).to(scores)
    mean = (scores * present).sum(-1) / present.sum(-1).clamp(min=1)
    return torch.where(present.sum(-1) > 0, mean, torch.ones_like(mean))


@dataclass(frozen=True)
class BestThreshold:
    """The threshold with the highest IoU over the set."""

    thresholds: tuple[float, ...]
    name: str = "best-threshold"
    better: Literal["higher", "lower"] = "higher"

    @property
    def convention(self) -> str:
        """The thresholds that are compared."""
        tried = self.thresholds
        return f"highest iou pooled over the set and all classes, of {len(tried)} from {tried[0]:g} to {tried[-1]:g}"

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return pixel counts (B, 3 T) for T thresholds."""
        of_each = [counts(prediction, target, threshold).sum(1) for threshold in self.thresholds]
        return torch.cat(of_each, dim=1)

    def reduce(self, rows: Tensor) -> float:
        """Return the lowest of the best thresholds."""
        pooled = rows.double().reshape(len(rows), -1, 3).sum(0)
        return self.thresholds[int(ratio(pooled, "iou").argmax())]


@dataclass(frozen=True)
class MeanLoss:
    """The loss on validation images; it rises while the training loss falls if a run overfits."""

    loss: Loss
    called: str
    multiclass: bool = False
    name: str = "loss"
    better: Literal["higher", "lower"] = "lower"

    @property
    def convention(self) -> str:
        """The name of the loss."""
        return f"{self.called}, mean over images"

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss (B, 1) of each image, from its probabilities (B, C, H, W)."""
        sure = in_float64(prediction).clamp(1e-7, 1 - 1e-7)
        logits = sure.log() if self.multiclass else sure.logit()
        return torch.stack(
            [
                torch.stack(list(self.loss(one[None], {"target": right[None]}).values())).sum()[None]
                for one, right in zip(logits, target.to(logits.device), strict=True)
            ]
        )

    def reduce(self, rows: Tensor) -> float:
        """Return the mean of the losses (N, 1)."""
        return float(rows.mean())


def protocol(classes: Sequence[str], *, threshold: float = 0.5, multiclass: bool = False) -> EvaluationProtocol:
    """Return IoU and Dice over the set, per image and per class, and the batch-pooled IoU of pytorch-nested-unet."""
    names = tuple(classes)
    metrics: list[Metric] = [
        Overlap(score, pooling, names, threshold=threshold) for pooling in ("set", "image") for score in ("iou", "dice")
    ]
    if not multiclass:
        metrics.append(Overlap("iou", "batch", names, threshold=threshold))
    if len(names) > 1:
        metrics += [Overlap(score, "set", names, name, threshold) for name in names for score in ("iou", "dice")]
    return {metric.name: metric for metric in metrics}


def build_overlap(
    num_classes: int = 1, score: Score = "iou", pooling: Pooling = "set", threshold: float = 0.5
) -> Overlap:
    """Build the metric of settings for classes that have numbers instead of names."""
    return Overlap(score, pooling, number_classes(num_classes), threshold=threshold)


def build_protocol(num_classes: int) -> EvaluationProtocol:
    """Build `protocol` for classes that have numbers instead of names."""
    return protocol(number_classes(num_classes))


def number_classes(count: int) -> tuple[str, ...]:
    """Return names for classes that have only numbers."""
    return tuple(map(str, range(count)))


def sweep(classes: Sequence[str], thresholds: Sequence[float]) -> EvaluationProtocol:
    """Return IoU over the set at each threshold, and the best threshold."""
    tried = tuple(thresholds)
    metrics: list[Metric] = [Overlap("iou", "set", tuple(classes), threshold=threshold) for threshold in tried]
    metrics.append(BestThreshold(tried))
    return {metric.name: metric for metric in metrics}
