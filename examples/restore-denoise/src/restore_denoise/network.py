"""The network."""

from __future__ import annotations

from torch import Tensor, nn


class ResidualDenoiser(nn.Module):
    """Predicts the noise in an image and subtracts it (Zhang et al., 2017, section III), without batch normalization.

    Each output pixel depends on ``depth`` pixels around it on every side.
    """

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        middle = (layer for _ in range(depth - 2) for layer in (nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU()))
        self.noise = nn.Sequential(
            nn.Conv2d(3, channels, 3, padding=1), nn.ReLU(), *middle, nn.Conv2d(channels, 3, 3, padding=1)
        )

    def forward(self, noisy: Tensor) -> Tensor:
        """Clean images (B, 3, H, W) for noisy ones (B, 3, H, W), both in about [0, 1]."""
        clean: Tensor = noisy - self.noise(noisy)
        return clean
