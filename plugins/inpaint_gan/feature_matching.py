"""A loss that compares what a discriminator sees in generated and in real images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.training_step import Terms


@dataclass(frozen=True)
class FeatureMatching:
    """Mean absolute difference between a discriminator's intermediate features (Wang et al., 2018, equation 3).

    It gives a generator something to hold on to where scores alone say only that it was found out.
    """

    weight: float = 10.0

    def __call__(self, generated: Sequence[Tensor], real: Sequence[Tensor]) -> Terms:
        """Term ``feature_matching``, a scalar; its gradient reaches the generated side alone."""
        return {"feature_matching": self.weight * self.distance(generated, real)}

    def distance(self, generated: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
        """Mean over the layers of the mean difference; each layer's features have the same shape on both sides.

        Raises ValueError when one side has more layers than the other, or none.
        """
        if not generated or len(generated) != len(real):
            raise ValueError(f"expected as many layers of both kinds, not {len(generated)} and {len(real)}")
        terms = [F.l1_loss(seen, wanted.detach()) for seen, wanted in zip(generated, real, strict=True)]
        return torch.stack(terms).mean()
