"""Pictures with noise that is drawn anew each time they are trained on."""

from __future__ import annotations

import torch
from torch import Tensor

from restore.plugins.common.images.sources import ImageSource, refuse_smaller


class NoisyPictures:
    """Samples ``{"input": noisy, "target": clean}``, (3, H, W) float32 in about [0, 1].

    Chance comes from torch's global generator alone: the engine seeds it for every sample, and a run can be repeated.
    """

    def __init__(self, originals: ImageSource, noise: float, crop: int | None = None) -> None:
        """``noise`` is a standard deviation of 255; with ``crop``, samples are mirrored squares of that many pixels.

        Raises DataError where a picture is smaller than a crop.
        """
        if crop is not None:
            refuse_smaller(originals, crop, "a training crop", "leave them out, or lower --crop")
        self.originals, self.noise, self.crop = originals, noise / 255, crop
        self.in_memory = originals.in_memory

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self.originals)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """One sample."""
        picture = self.originals[index]
        if self.crop is not None:
            top, left = (int(torch.randint(side - self.crop + 1, ())) for side in picture.shape[-2:])
            picture = picture[:, top : top + self.crop, left : left + self.crop]
            picture = picture.flip(-1) if torch.rand(()) < 0.5 else picture
        clean = picture.float() / 255
        return {"input": clean + self.noise * torch.randn_like(clean), "target": clean}

    def name(self, index: int) -> str:
        """What to call a picture in a report."""
        return self.originals.name(index)
