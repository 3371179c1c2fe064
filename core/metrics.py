"""What a measured number is: a metric with its convention, reduced from statistics of single samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Metric(Protocol):
    """Statistics of each sample first, one number from all of them last.

    Rows of statistics can be gathered from any number of processes and batches and still give the same number.
    """

    @property
    def name(self) -> str:
        """Short name, as ``psnr``."""
        ...

    @property
    def convention(self) -> str:
        """How it was computed, printed with every value, as ``8-bit Y, border 4``."""
        ...

    @property
    def better(self) -> Literal["higher", "lower"]:
        """Which direction is an improvement."""
        ...

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Statistics (B, K) of a batch (B, C, H, W), float64."""
        ...

    def reduce(self, rows: Tensor) -> float:
        """One number from the statistics (N, K) of N samples; of one row, that sample's own value."""
        ...


def is_partial(metric: Metric) -> bool:
    """Whether a metric says of itself, by a true ``partial``, that it is about some of the samples only.

    Its number is nan where none of the samples is one of them; that of any other metric is nan only if something broke.
    """
    return bool(getattr(metric, "partial", False))


@dataclass(frozen=True)
class EvaluationProtocol:
    """A named list of metrics."""

    name: str
    metrics: Mapping[str, Metric]


@dataclass(frozen=True)
class MetricResult:
    """A measured number that cannot be separated from how it was measured."""

    name: str
    convention: str
    of: str
    """Whose number: a phase of a run, a method without weights, a file."""
    value: float

    def __str__(self) -> str:
        return f"{self.name} ({self.convention}) of {self.of}: {self.value:.4f}"
