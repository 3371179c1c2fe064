"""The loss."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from restore.core import Batch, Terms


class EdgeLoss:
    """Mean absolute error of pixels, and of the differences between neighbors, which blurred edges get wrong."""

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:
        """Terms for a prediction and the ``target`` of the batch, both (B, 3, H, W)."""
        target = batch["target"]
        across = F.l1_loss(prediction.diff(dim=-1), target.diff(dim=-1))
        down = F.l1_loss(prediction.diff(dim=-2), target.diff(dim=-2))
        return {"pixels": F.l1_loss(prediction, target), "edges": self.weight * (across + down)}
