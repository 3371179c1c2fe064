"""Progressive training: its phases, and datasets downscaled for them."""

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
    """Return pretraining, an adversarial phase at each progressive size, and the one at the crop size.

    The PSNR inside the hole selects the best weights of pretraining. In adversarial training it falls by design, so the
    last weights are the best. Phases without epochs are left out.
    """
    pretrain, _ = settings.split()
    names = [*map(str, settings.progressive), ADVERSARIAL]
    chosen = settings.adversarial
    optimizers = {"discriminator": chosen.discriminator, "generator": chosen.generator}
    adversarial = [Phase(name, epochs, optimizers) for name, epochs in zip(names, settings.shares(), strict=True)]
    first = Phase(PRETRAIN, pretrain, {"generator": settings.pretrain.optimizer}, monitor="masked-psnr")
    return [phase for phase in (first, *adversarial) if phase.epochs]


def phase_size(phase: Phase, settings: InpaintGANSettings) -> int:
    """Return the side in pixels of the training images of a phase."""
    if phase.name == PRETRAIN:
        return settings.smallest
    return settings.crop_size if phase.name == ADVERSARIAL else int(phase.name)


class ResizedDataset:
    """A dataset with downscaled samples."""

    def __init__(self, images: ImageDataset, side: int) -> None:
        """Resize ``images`` to ``side`` x ``side`` pixels."""
        self._images, self._side = images, side
        self.in_memory = getattr(images, "in_memory", False)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        sample = self._images[index]
        target, mask = (self._shrink(sample[name]) for name in ("target", "mask"))
        # a pixel belongs to the hole if any part of it does, or the rim of the hole would remain visible
        mask = (mask > 0.01).float()
        return {**sample, "target": target, "mask": mask, "input": target * (1 - mask)}

    def name(self, index: int) -> str:
        """Return the image's name."""
        return self._images.name(index)

    def _shrink(self, plane: Tensor) -> Tensor:
        return bilinear(plane, (self._side, self._side)).clamp(0, 1)


def resize_dataset(images: ImageDataset, side: int, crop_size: int) -> ImageDataset:
    """Return ``images`` of ``crop_size`` pixels at ``side`` pixels, or unchanged if both are equal."""
    return images if side == crop_size else ResizedDataset(images, side)


def local_boxes(masks: Tensor, side: int) -> Tensor:
    """Return top and left (B, 2) of squares of ``side`` pixels around the center of each hole (B, 1, H, W).

    The squares lie inside the images. The center is that of the hole's bounding box, so a square contains any hole that
    is no larger than itself.
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


def crop_boxes(images: Tensor, boxes: Tensor, side: int) -> Tensor:
    """Return the squares (B, C, side, side) of images (B, C, H, W) at the corners of `local_boxes`."""
    steps = torch.arange(side, device=images.device)
    rows, columns = boxes[:, :1] + steps, boxes[:, 1:] + steps
    samples = torch.arange(len(images), device=images.device)[:, None, None]
    return images.permute(0, 2, 3, 1)[samples, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
