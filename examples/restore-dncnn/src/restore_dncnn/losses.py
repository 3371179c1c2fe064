"""The loss of DnCNN."""

from __future__ import annotations

from torch import Tensor

from restore.core import Batch, Terms


class Residual:
    """Half the squared error of the predicted noise, summed over an image and averaged over images (equation 1).

    The error of the predicted noise is that of the clean image, so any network can be trained with it.
    """

    def __call__(self, prediction: Tensor, batch: Batch) -> Terms:
        """Return the term ``residual`` of images (B, C, H, W)."""
        return {"residual": 0.5 * (prediction - batch["target"]).square().flatten(1).sum(1).mean()}
