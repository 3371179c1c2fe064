"""Loss between the features of a discriminator for generated and for real images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.training_step import Terms


@dataclass(frozen=True)
class FeatureMatching:
    """Mean absolute difference between intermediate features of a discriminator (Wang et al., 2018, equation 3).

    It tells a generator more than scores, which only say how real an image looks.
    """

    weight: float = 10.0

    def __call__(self, generated: Sequence[Tensor], real: Sequence[Tensor]) -> Terms:
        """Return the term ``feature_matching``, a scalar; gradients flow only to the generated side."""
        return {"feature_matching": self.weight * self.distance(generated, real)}

    def distance(self, generated: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
        """Return the mean over layers of the mean difference; features of a layer have the same shape on both sides.

        Raises ValueError if there are no layers, or if the numbers of layers differ.
        """
        if not generated or len(generated) != len(real):
            raise ValueError(f"expected as many layers of both kinds, not {len(generated)} and {len(real)}")
        terms = [F.l1_loss(seen, wanted.detach()) for seen, wanted in zip(generated, real, strict=True)]
        return torch.stack(terms).mean()
