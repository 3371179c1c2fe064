"""Training from low to high resolution: phases, and images made smaller for them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from restore.core.dataset import ImageDataset
from restore.core.training_step import Phase
from restore.plugins.common.images.resize import bilinear
from restore.plugins.inpaint_gan.settings import InpaintGANSettings

PRETRAIN, ADVERSARIAL = "pretrain", "adversarial"


def progressive_phases(settings: InpaintGANSettings) -> Sequence[Phase]:
    """Pretraining, an adversarial phase at each of the progressive sizes, and the adversarial phase at the size of the
    crops.

    Pretraining is judged by the PSNR inside the hole; it falls in adversarial training by design, so there the last
    weights are best. A size for which no epoch is left has no phase.
    """
    pretrain, _ = settings.split()
    names = [*map(str, settings.progressive), ADVERSARIAL]
    chosen = settings.adversarial
    optimizers = {"discriminator": chosen.discriminator, "generator": chosen.generator}
    adversarial = [Phase(name, epochs, optimizers) for name, epochs in zip(names, settings.shares(), strict=True)]
    first = Phase(PRETRAIN, pretrain, {"generator": settings.pretrain.optimizer}, monitor="masked-psnr")
    return [phase for phase in (first, *adversarial) if phase.epochs]


def phase_size(phase: Phase, settings: InpaintGANSettings) -> int:
    """Side in pixels of the images that a phase trains on."""
    if phase.name == PRETRAIN:
        return settings.smallest
    return settings.crop_size if phase.name == ADVERSARIAL else int(phase.name)


class ResizedDataset:
    """Samples of another dataset with their squares made smaller."""

    def __init__(self, images: ImageDataset, side: int) -> None:
        """Show ``images`` with ``side`` x ``side`` pixels."""
        self._images, self._side = images, side
        self.in_memory = getattr(images, "in_memory", False)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        sample = self._images[index]
        target, mask = (self._shrunk(sample[name]) for name in ("target", "mask"))
        # a pixel is missing as soon as a part of it is, or the hole's rim would show through
        mask = (mask > 0.01).float()
        return {**sample, "target": target, "mask": mask, "input": target * (1 - mask)}

    def name(self, index: int) -> str:
        """The image's name."""
        return self._images.name(index)

    def _shrunk(self, plane: Tensor) -> Tensor:
        return bilinear(plane, (self._side, self._side)).clamp(0, 1)


def resize_dataset(images: ImageDataset, side: int, crop_size: int) -> ImageDataset:
    """``images`` of ``crop_size`` pixels at ``side`` pixels; themselves where that is the same."""
    return images if side == crop_size else ResizedDataset(images, side)


def local_boxes(masks: Tensor, side: int) -> Tensor:
    """Top and left (B, 2) of squares of ``side`` pixels around the middle of each hole (B, 1, H, W), inside images.

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


def cut(images: Tensor, boxes: Tensor, side: int) -> Tensor:
    """Squares (B, C, side, side) of images (B, C, H, W) at the corners of `local_boxes`, without a loop."""
    steps = torch.arange(side, device=images.device)
    rows, columns = boxes[:, :1] + steps, boxes[:, 1:] + steps
    samples = torch.arange(len(images), device=images.device)[:, None, None]
    return images.permute(0, 2, 3, 1)[samples, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
