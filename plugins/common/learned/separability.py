"""How well a linear classifier tells generated images from photographs: P-IDS and U-IDS (Zhao et al., 2021)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor
from typing_extensions import override

_TOLERANCE = 1e-8
"""Relative change of the loss at which the classifier is fitted."""


class _Discrimination(ABC):
    """What a linear classifier of the features of outputs and targets says."""

    better: ClassVar[Literal["higher", "lower"]] = "higher"
    how: ClassVar[str] = "linear SVM, C 1"

    def reduce(self, rows: Tensor) -> float:
        """Return the share in [0, 1]; NaN for fewer than two images."""
        return self.share(*_score(rows)) if len(rows) >= 2 else float("nan")

    @abstractmethod
    def share(self, generated: Tensor, real: Tensor) -> float:
        """Return the share, from how real the classifier finds each output and its target, (N,) each."""


class PairedInceptionDiscrimination(_Discrimination):
    """Share of outputs that the classifier takes for more real than their own target (P-IDS); a tie counts half."""

    name: ClassVar[str] = "p-ids"

    @override
    def share(self, generated: Tensor, real: Tensor) -> float:
        return float(((generated > real).double() + 0.5 * (generated == real)).mean())


class UnpairedInceptionDiscrimination(_Discrimination):
    """Share of outputs and targets that the classifier takes for the other (U-IDS), at most about 0.5."""

    name: ClassVar[str] = "u-ids"

    @override
    def share(self, generated: Tensor, real: Tensor) -> float:
        return float((generated > 0).double().mean() + (real <= 0).double().mean()) / 2


def _score(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return how real the classifier finds the output and the target of each row."""
    both = torch.cat(rows.double().chunk(2, dim=1)).numpy()
    count = len(rows)
    scores = torch.from_numpy(both @ (fitted := fit_linear_svm(both, np.repeat([-1.0, 1.0], count)))[:-1] + fitted[-1])
    return scores[:count], scores[count:]


def fit_linear_svm(features: NDArray[np.float64], labels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights and bias (K + 1,) of a linear classifier with the squared hinge loss and C = 1.

    The bias is regularized as a weight is, as in LIBLINEAR, whose classifier the published scores use.

    Args:
        features: one row for each sample, (N, K).
        labels: -1 or 1 for each sample, (N,).
    """
    padded = np.hstack([features, np.ones((len(features), 1))]) * labels[:, None]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        missing = np.maximum(0.0, 1.0 - padded @ weights)
        value = 0.5 * float(weights @ weights) + float(missing @ missing)
        return value, weights - 2.0 * padded.T @ missing

    options = {"maxiter": 1000, "ftol": _TOLERANCE, "gtol": 1e-6}
    found: NDArray[np.float64] = minimize(
        loss, np.zeros(padded.shape[1]), jac=True, method="L-BFGS-B", options=options
    ).x
    return found
