"""Metrics with their convention; a result is reduced from per-sample statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

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


class PartialMetric:
    """Base of metrics that cover only some of the samples, such as images with holes of one kind.

    Their result is NaN if they cover none of the samples. NaN of any other metric is an error.
    """


EvaluationProtocol = Mapping[str, Metric]
"""The metrics of an evaluation, by key."""


@dataclass(frozen=True)
class MetricResult:
    """A measured value together with how it was measured."""

    name: str
    convention: str
    of: str
    """What was measured: a phase of a run, a classical method, a file."""
    value: float

    def __str__(self) -> str:
        return f"{self.name} ({self.convention}) of {self.of}: {self.value:.4f}"
