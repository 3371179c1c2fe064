"""The metric."""

from __future__ import annotations

from dataclasses import dataclass

from restore.plugins.common.metrics import PSNR


@dataclass(frozen=True)
class NoisyPSNR(PSNR):
    """PSNR of what was made of images with noise of one level, which is part of its convention."""

    noise: float = 25.0
    """Standard deviation, of 255."""

    @property
    def convention(self) -> str:
        """As ``8-bit RGB, noise 25``."""
        return f"{super().convention}, noise {self.noise:g}"
