"""Images with noise of an unknown level, as DnCNN-B is trained on (section IV.A)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from restore.plugins.common.images.folders import AnySplit
from restore.plugins.common.images.splits import images_of
from restore.plugins.common.super_resolution.dataset import CroppedPairs, WholePairs


class BlindImages:
    """Pairs ``{"input": noisy, "target": clean}`` (3, H, W), clean values in [0, 1].

    The contract of datasets for restoration explains the first five arguments.

    Args:
        most: largest standard deviation of the noise of a crop for training, of 255; it is drawn for each crop.
        measured: standard deviation of the noise of all other images.
    """

    def __init__(
        self,
        split: AnySplit,
        folder: Path | None,
        val_fraction: float,
        seed: int,
        crop_size: int,
        *,
        most: float = 55.0,
        measured: float = 25.0,
    ) -> None:
        source = images_of(split, folder, val_fraction, seed)
        self._random, self._noise = split == "train", (most if split == "train" else measured) / 255
        # pairs of an image with itself, at scale 1
        self._clean = CroppedPairs(source, 1, crop_size, source) if self._random else WholePairs(source, 1, source)
        self.in_memory, self.name = self._clean.in_memory, self._clean.name

    def __len__(self) -> int:
        """Count the images."""
        return len(self._clean)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Add noise: for training from torch's global generator, else the same noise each time."""
        sample = self._clean[index]
        generator = None if self._random else torch.Generator().manual_seed(index)
        level = self._noise * (torch.rand(()) if self._random else 1)
        return {**sample, "input": sample["input"] + level * torch.randn(sample["input"].shape, generator=generator)}
