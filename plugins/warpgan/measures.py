"""Metrics of caricatures, which have no right answer: who they are still taken for, and what was done to them.

What a picture costs is measured by the task, a row of numbers each; a metric here makes one number of all rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.machine.devices import in_float64
from restore.plugins.common.metrics import PrecomputedMetric

FALSE_ACCEPTS = 0.01
"""Share of pairs of different people that a verification may take for one person."""


@dataclass(frozen=True)
class Rank1(PrecomputedMetric):
    """How many of the pictures asked about have a photograph of their own person as the nearest in the gallery.

    Rows are those of `with_person`; the gallery are the photographs of all rows but the one that a picture was made
    from, which stays only where there is no other of the person. A single row has nothing to be compared with: nan.
    """

    def reduce(self, rows: Tensor) -> float:
        """Share in [0, 1]."""
        if len(rows) < 2:
            return float("nan")
        same, scores, compared = similarities(rows)
        nearest = scores.masked_fill(~compared, -torch.inf).argmax(1, keepdim=True)
        return float(same.gather(1, nearest).double().mean())


@dataclass(frozen=True)
class Verification(PrecomputedMetric):
    """How many pairs of one person are accepted where at most a hundredth of the pairs of different people is.

    Huo et al., 2018, VR at FAR 1 %; pairs as in `Rank1`. The threshold is the lowest that keeps the share; where there
    are no pairs of different people every pair is accepted. A single row has no pairs: nan.
    """

    def reduce(self, rows: Tensor) -> float:
        """Share in [0, 1]."""
        if len(rows) < 2:
            return float("nan")
        same, scores, compared = similarities(rows)
        genuine, impostors = scores[same & compared], scores[~same].sort(descending=True).values
        if not len(impostors):
            return 1.0
        return float((genuine > impostors[int(FALSE_ACCEPTS * len(impostors))]).double().mean())


def with_person(person: Tensor, asked: Tensor, photograph: Tensor) -> Tensor:
    """Rows of `Rank1` and `Verification`: person (B,), features (B, K) of what is asked about and of photographs."""
    return torch.cat([in_float64(person[:, None]), in_float64(asked), in_float64(photograph)], dim=1)


def similarities(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each picture asked about and each photograph (N, N): whether of one person, their cosine, whether compared.

    A picture is not compared with the photograph that it was made from, unless there is no other of the person.
    """
    people, features = rows[:, 0], rows[:, 1:].double()
    asked, photographs = (F.normalize(half, dim=1) for half in features.chunk(2, dim=1))
    same = people[:, None] == people
    alone = same.sum(1) == 1
    return same, asked @ photographs.T, ~torch.eye(len(rows), dtype=torch.bool) | alone[:, None]
