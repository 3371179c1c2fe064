"""The network."""

from __future__ import annotations

from torch import Tensor, nn


class ResidualDenoiser(nn.Module):
    """Predicts the noise in a picture and subtracts it (Zhang et al., 2017, section III), without batch normalisation.

    Each output pixel depends on ``depth`` pixels around it on every side.
    """

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        middle = (layer for _ in range(depth - 2) for layer in (nn.Conv2d(width, width, 3, padding=1), nn.ReLU()))
        self.noise = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), *middle, nn.Conv2d(width, 3, 3, padding=1)
        )

    def forward(self, noisy: Tensor) -> Tensor:
        """Clean pictures (B, 3, H, W) for noisy ones (B, 3, H, W), both in about [0, 1]."""
        clean: Tensor = noisy - self.noise(noisy)
        return clean
