"""Images with noise that is drawn anew each time they are trained on."""

from __future__ import annotations

import torch
from torch import Tensor

from restore.plugins.common.images.sources import ImageSource, refuse_smaller


class NoisyImages:
    """Samples ``{"input": noisy, "target": clean}``, (3, H, W) float32 in about [0, 1].

    Random numbers come from torch's global generator alone: the engine seeds it for every sample, and a run can be
    repeated.
    """

    def __init__(self, source: ImageSource, noise: float, crop_size: int | None = None) -> None:
        """``noise`` is a standard deviation of 255; with ``crop_size``, samples are mirrored squares of that many
        pixels.

        Raises DataError where an image is smaller than a crop.
        """
        if crop_size is not None:
            refuse_smaller(source, crop_size, "a training crop", "leave them out, or lower --crop-size")
        self.source, self.noise, self.crop_size = source, noise / 255, crop_size
        self.in_memory = source.in_memory

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.source)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """One sample."""
        image = self.source[index]
        if self.crop_size is not None:
            top, left = (int(torch.randint(side - self.crop_size + 1, ())) for side in image.shape[-2:])
            image = image[:, top : top + self.crop_size, left : left + self.crop_size]
            image = image.flip(-1) if torch.rand(()) < 0.5 else image
        clean = image.float() / 255
        return {"input": clean + self.noise * torch.randn_like(clean), "target": clean}

    def name(self, index: int) -> str:
        """What to call an image in a report."""
        return self.source.name(index)
