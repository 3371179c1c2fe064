"""Ask networks about pictures: normalised once, at their own size or the one of training, alone or together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from restore.plugins.common.images.resize import bilinear
from restore.plugins.unet.settings import ModelSettings
from restore.plugins.unet.targets import probabilities

Answer = Callable[[Tensor], Tensor]
"""Probabilities (B, classes, H, W) for pictures (B, C, H, W) in [0, 1]."""


def normalised(pictures: Tensor, model: ModelSettings) -> Tensor:
    """Pictures (B, C, H, W) in [0, 1] with the mean and standard deviation of each channel taken out, once."""
    mean, std = (pictures.new_tensor(values).view(1, -1, 1, 1) for values in model.normalisation)
    return (pictures - mean) / std


@dataclass(frozen=True)
class Network:
    """One network as an answer."""

    network: nn.Module
    model: ModelSettings
    resize: bool
    """Whether it looks at pictures at the size that it was trained on."""

    def __call__(self, pictures: Tensor) -> Tensor:
        """Probabilities of its last head, at the size of the pictures."""
        height, width = pictures.shape[-2:]
        if self.resize and self.model.size is not None:
            pictures = bilinear(pictures, self.model.size)
        logits = self.network(normalised(pictures, self.model))
        found = probabilities(logits[-1] if isinstance(logits, list) else logits, self.model.exclusive)
        return bilinear(found, (height, width)).clamp(0, 1)


def together(answers: Sequence[Answer]) -> Answer:
    """The mean of several answers."""

    def answer(pictures: Tensor) -> Tensor:
        return torch.stack([one(pictures) for one in answers]).mean(0)

    return answers[0] if len(answers) == 1 else answer


def turned(answer: Answer, views: Literal["none", "flips", "all"]) -> Answer:
    """The mean over mirrored pictures (4 views), or over mirrored and turned ones (8), each turned back."""
    if views == "none":
        return answer
    quarters = (0, 2) if views == "flips" else (0, 1, 2, 3)

    def averaged(pictures: Tensor) -> Tensor:
        total: Tensor | None = None
        for quarter in quarters:
            for mirrored in (False, True):
                seen = torch.rot90(pictures.flip(-1) if mirrored else pictures, quarter, (-2, -1))
                found = torch.rot90(answer(seen), -quarter, (-2, -1))
                found = found.flip(-1) if mirrored else found
                total = found if total is None else total + found
        assert total is not None
        return total / (2 * len(quarters))

    return averaged
