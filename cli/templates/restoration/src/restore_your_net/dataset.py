"""The data. Replace the noise by the damage that your model repairs."""

from __future__ import annotations

import torch
from torch import Tensor

from restore.plugins.common.images.sources import ImageSource, refuse_smaller


class NoisyImages:
    """Samples ``{"input": noisy, "target": clean}``, (3, H, W) float32 in about [0, 1].

    Random numbers come from torch's global generator alone. The engine seeds it for each sample, so a run is
    reproducible.

    Args:
        source: the clean images.
        noise: standard deviation, of 255.
        crop_size: side of random, mirrored crops in pixels; None: whole images.

    Raises DataError if an image is smaller than a crop.
    """

    def __init__(self, source: ImageSource, noise: float, crop_size: int | None = None) -> None:
        if crop_size is not None:
            refuse_smaller(source, crop_size, "a training crop", "remove them, or lower --crop-size")
        self.source, self.noise, self.crop_size = source, noise / 255, crop_size
        self.in_memory = source.in_memory

    def __len__(self) -> int:
        """Count the images."""
        return len(self.source)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Make one sample."""
        image = self.source[index]
        if self.crop_size is not None:
            top, left = (int(torch.randint(side - self.crop_size + 1, ())) for side in image.shape[-2:])
            image = image[:, top : top + self.crop_size, left : left + self.crop_size]
            image = image.flip(-1) if torch.rand(()) < 0.5 else image
        clean = image.float() / 255
        return {"input": clean + self.noise * torch.randn_like(clean), "target": clean}

    def name(self, index: int) -> str:
        """Return the name of an image in reports."""
        return self.source.name(index)
