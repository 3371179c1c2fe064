"""What WarpGAN reads off a picture: its content, as features in place, and its style, as a few numbers."""

from __future__ import annotations

from einops import reduce
from torch import Tensor, nn

from restore.core.machine.precision import in_full_precision
from restore.plugins.warpgan.networks.layers import Convolution, Linear, Normalised, Residual


class ContentEncoder(nn.Module):
    """Three convolutions, two of them halving, and three residual blocks; the style is normalised away."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            Normalised(3, width, 7),
            Normalised(width, 2 * width, 4, stride=2),
            Normalised(2 * width, 4 * width, 4, stride=2),
        )
        self.blocks = nn.Sequential(*(Residual(4 * width) for _ in range(3)))

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 4 x width, H / 4, W / 4)."""
        content: Tensor = self.blocks(self.convolutions(picture))
        return content


class StyleEncoder(nn.Module):
    """Three convolutions without normalisation, which would take the style away, their mean, and a linear layer."""

    def __init__(self, style: int = 8, width: int = 64) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            Convolution(3, width, 7, bias=True),
            nn.ReLU(),
            Convolution(width, 2 * width, 4, stride=2, bias=True),
            nn.ReLU(),
            Convolution(2 * width, 4 * width, 4, stride=2, bias=True),
            nn.ReLU(),
        )
        self.code = Linear(4 * width, style)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, style)."""
        return in_full_precision(self.code, reduce(self.convolutions(picture), "b c h w -> b c", "mean"))
