"""Crops in other colours: a few photographs have few, and a code should serve pictures of all."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from restore.core.task import Pictures


@dataclass(frozen=True)
class Recoloured:
    """Samples of a data set with their channels exchanged and dimmed, each by chance; gray pictures get a tint."""

    pictures: Pictures

    @property
    def in_memory(self) -> bool:
        """Whether loading in other processes would not help."""
        return getattr(self.pictures, "in_memory", False)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        order, gains = torch.randperm(3), 1 - 0.6 * torch.rand(3, 1, 1)
        return {name: gains * picture[order] for name, picture in self.pictures[index].items()}

    def name(self, index: int) -> str:
        """What the data set calls it."""
        return self.pictures.name(index)
