"""Metrics with their convention; a result is reduced from per-sample statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from restore.core.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor


class Metric(Protocol):
    """Computes per-sample statistics (`measure`) and one result from all of them (`reduce`).

    The result does not depend on how samples were split into batches and processes.
    """

    @property
    def name(self) -> str:
        """Short name, such as ``psnr``."""
        ...

    @property
    def convention(self) -> str:
        """How the metric is computed, such as ``8-bit Y, border 4``; printed with every value."""
        ...

    @property
    def better(self) -> Literal["higher", "lower"]:
        """Whether higher or lower values are better."""
        ...

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return statistics (B, K), float64, of a batch (B, C, H, W)."""
        ...

    def reduce(self, rows: Tensor) -> float:
        """Return the result for statistics (N, K) of N samples; for one row, that sample's value."""
        ...


@runtime_checkable
class MaskedMetric(Metric, Protocol):
    """A metric that looks only inside a mask, such as the hole of an image that was inpainted."""

    def measure_inside(self, prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return statistics (B, K), float64, inside masks (B, 1, H, W), one inside."""
        ...


@runtime_checkable
class InputMetric(Metric, Protocol):
    """A metric that also looks at what the prediction was made from, such as the image that was upscaled."""

    def measure_from(self, prediction: Tensor, target: Tensor, inputs: Tensor) -> Tensor:
        """Return statistics (B, K), float64, of predictions made from images (B, C, h, w)."""
        ...


def measure_batch(metric: Metric, prediction: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
    """Return the statistics (B, K) of a prediction, with the batch's ``mask`` or ``input`` if the metric asks for it.

    Args:
        metric: the metric.
        prediction: what it compares with the targets, (B, C, H, W).
        batch: ``target``; for inpainting ``mask``, for super-resolution ``input``.
    """
    if "mask" in batch and isinstance(metric, MaskedMetric):
        return metric.measure_inside(prediction, batch["target"], batch["mask"])
    if "input" in batch and isinstance(metric, InputMetric):
        return metric.measure_from(prediction, batch["target"], batch["input"])
    return metric.measure(prediction, batch["target"])


class PartialMetric:
    """Base of metrics that cover only some of the samples, such as images with holes of one kind.

    Their result is NaN if they cover none of the samples. NaN of any other metric is an error.
    """


class NoReferenceMetric:
    """Base of metrics that look at predictions alone: their targets need not have the best value there is."""


@runtime_checkable
class SizedMetric(Metric, Protocol):
    """A metric that cannot measure small images: its statistics of them are NaN, and an evaluation leaves them out."""

    @property
    def least_side(self) -> int:
        """Shortest side that can be measured, in pixels."""
        ...


@runtime_checkable
class GrayMetric(Metric, Protocol):
    """A metric that compares other values when a target is gray, (B, 1, H, W), than when it is in color."""

    @property
    def gray_rule(self) -> str:
        """What it compares then, in words that follow "gray targets"; empty if nothing is different."""
        ...


@runtime_checkable
class LimitedMetric(Metric, Protocol):
    """A metric that is infinite for a perfect image, which its mean leaves out.

    When the best weights are chosen, all images count, each with this at most: neither must an image that becomes
    perfect make a run worse, nor a single perfect one make every evaluation look equal.
    """

    @property
    def limit(self) -> float:
        """The most that an image counts."""
        ...


EvaluationProtocol = Mapping[str, Metric]
"""The metrics of an evaluation, by key."""


@dataclass(frozen=True)
class NamedMetric:
    """A metric that a plugin registers, chosen by its name."""

    key: str
    """Its key in a protocol: the full name and the settings, as ``common/psnr,border=4``."""
    metric: Metric
    plugin: str
    """Name of the plugin."""
    requirement: str | None
    """What to install for the plugin, as ``restore-edges==1.0``; None: a local module."""


def add_metric(protocol: EvaluationProtocol, added: NamedMetric) -> tuple[EvaluationProtocol, str]:
    """Return a protocol with one more metric, and its key. A metric that the protocol has already keeps its key.

    Raises:
        UsageError: another metric of the protocol would be shown with the same name and convention.
    """
    metric = added.metric
    for key, other in protocol.items():
        if (other.name, other.convention) == (metric.name, metric.convention):
            if type(other) is not type(metric):
                raise UsageError(
                    f"{added.key} is shown as {metric.name} ({metric.convention}), as another metric is that is "
                    "measured already; it needs a name or a convention of its own"
                )
            return protocol, key
    return {**protocol, added.key: metric}, added.key


@dataclass(frozen=True)
class MetricResult:
    """A measured value together with how it was measured."""

    name: str
    convention: str
    of: str
    """What was measured: a phase of a run, a classical method, a file."""
    value: float
    images: int | None = None
    """How many images were measured; None: not known."""
    left_out: int = 0
    """How many of them do not count in the value: too small for the metric, or perfect if it is infinite for them."""

    def __str__(self) -> str:
        return f"{self.name} ({self.convention}) of {self.of}: {self.value:.4f}{self.coverage}"

    @property
    def coverage(self) -> str:
        """What follows the value if it is not that of all images; see `describe_coverage`."""
        return describe_coverage(self.images, self.left_out)


def describe_coverage(images: int | None, left_out: int) -> str:
    """Return what follows a value, as `` over 58 of 59 images``; empty if it is of all images, or of none."""
    return f" over {images - left_out} of {images} images" if images and 0 < left_out < images else ""
