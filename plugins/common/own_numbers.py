"""Metrics of numbers that a task works out itself, beside those of the picture that comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from restore.core.machine.devices import in_float64
from restore.core.measuring import EvaluationProtocol


@dataclass(frozen=True)
class Mean:
    """Numbers of each picture: their sum, and its mean over pictures. Its name is its key in a protocol."""

    name: str
    convention: str
    better: Literal["higher", "lower"] = "higher"

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002 - the signature of every metric
        """The numbers (B, K) or (B,) of each picture, which stand in the prediction's place; (B, K), float64."""
        return in_float64(prediction).reshape(len(prediction), -1)

    def reduce(self, rows: Tensor) -> float:
        """Sum over K, mean over pictures."""
        return float(rows.sum(1).mean())


def measured(
    prediction: Tensor, target: Tensor, numbers: Mapping[str, Tensor], protocol: EvaluationProtocol
) -> dict[str, Tensor]:
    """Statistics of each sample for every metric: of ``numbers`` (B, K) under its name, else of the prediction."""
    return {name: metric.measure(numbers.get(name, prediction), target) for name, metric in protocol.metrics.items()}
