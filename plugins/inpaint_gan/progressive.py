"""Training from low to high resolution: phases, and pictures made smaller for them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from restore.core.dataset import Pictures
from restore.core.training_step import Phase
from restore.plugins.common.images.resize import bilinear
from restore.plugins.inpaint_gan.settings import InpaintGANSettings

PRETRAIN, GAME = "pretrain", "adversarial"


def progressive_phases(settings: InpaintGANSettings) -> Sequence[Phase]:
    """Pretraining, a game at each of the progressive sizes, and the game at the size of the crops.

    Pretraining is judged by the PSNR inside the hole; it falls in a game by design, so there the last weights are best.
    A size for which no epoch is left has no phase.
    """
    pretrain, _ = settings.split()
    names = [*map(str, settings.progressive), GAME]
    chosen = settings.adversarial
    optimizers = {"discriminator": chosen.discriminator, "generator": chosen.generator}
    games = [Phase(name, epochs, optimizers) for name, epochs in zip(names, settings.shares(), strict=True)]
    first = Phase(PRETRAIN, pretrain, {"generator": settings.pretrain.optimizer}, monitor="psnr-hole")
    return [phase for phase in (first, *games) if phase.epochs]


def phase_size(phase: Phase, settings: InpaintGANSettings) -> int:
    """Side in pixels of the pictures that a phase trains on."""
    if phase.name == PRETRAIN:
        return settings.smallest
    return settings.crop if phase.name == GAME else int(phase.name)


class ResizedDataset:
    """Samples of another data set with their squares made smaller."""

    def __init__(self, pictures: Pictures, side: int) -> None:
        """Show ``pictures`` with ``side`` x ``side`` pixels."""
        self._pictures, self._side = pictures, side
        self.in_memory = getattr(pictures, "in_memory", False)

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        sample = self._pictures[index]
        target, mask = (self._shrunk(sample[name]) for name in ("target", "mask"))
        # a pixel is missing as soon as a part of it is, or the hole's rim would show through
        mask = (mask > 0.01).float()
        return {**sample, "target": target, "mask": mask, "input": target * (1 - mask)}

    def name(self, index: int) -> str:
        """The picture's name."""
        return self._pictures.name(index)

    def _shrunk(self, plane: Tensor) -> Tensor:
        return bilinear(plane, (self._side, self._side)).clamp(0, 1)


def resize_dataset(pictures: Pictures, side: int, crop: int) -> Pictures:
    """``pictures`` of ``crop`` pixels at ``side`` pixels; themselves where that is the same."""
    return pictures if side == crop else ResizedDataset(pictures, side)


def local_boxes(masks: Tensor, side: int) -> Tensor:
    """Top and left (B, 2) of squares of ``side`` pixels around the middle of each hole (B, 1, H, W), inside pictures.

    The middle is that of the hole's bounding box, so that a hole no larger than the square lies in it whole.
    """
    corners = []
    for axis in (-2, -1):
        other = -1 if axis == -2 else -2
        hit = masks[:, 0].amax(other) > 0.5
        length = masks.shape[axis]
        first = hit.int().argmax(1)
        last = length - 1 - hit.flip(1).int().argmax(1)
        corners.append(((first + last + 1 - side) // 2).clamp(0, length - side))
    return torch.stack(corners, dim=1)


def cut(pictures: Tensor, boxes: Tensor, side: int) -> Tensor:
    """Squares (B, C, side, side) of pictures (B, C, H, W) at the corners of `local_boxes`, without a loop."""
    steps = torch.arange(side, device=pictures.device)
    rows, columns = boxes[:, :1] + steps, boxes[:, 1:] + steps
    samples = torch.arange(len(pictures), device=pictures.device)[:, None, None]
    return pictures.permute(0, 2, 3, 1)[samples, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
