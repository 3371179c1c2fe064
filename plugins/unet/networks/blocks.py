"""What every U-shaped network here is made of."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F

Logits = Tensor | list[Tensor]
"""One map of logits (B, classes, H, W), or one for each head."""


class DoubleConvolution(nn.Module):
    """Twice: 3x3 convolution, batch normalisation, ReLU. Height and width stay as they are."""

    def __init__(self, in_channels: int, middle_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, middle_channels, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(middle_channels)
        self.conv2 = nn.Conv2d(middle_channels, out_channels, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, out_channels, H, W) of features (B, in_channels, H, W)."""
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)))


def widths_of_levels(width: int, depth: int) -> list[int]:
    """Channels of each level from the finest down: doubled with every halving of the size."""
    if width < 1 or depth < 1:
        raise ValueError(f"width and depth are at least 1, not {width} and {depth}")
    return [width * 2**level for level in range(depth + 1)]


def halved(x: Tensor) -> Tensor:
    """Half the height and width, by the maximum of each 2x2 cell."""
    return F.max_pool2d(x, 2)


def doubled(x: Tensor) -> Tensor:
    """Twice the height and width, bilinear, corner pixels on corner pixels."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)


def on_multiples(network: Callable[[Tensor], Logits], x: Tensor, multiple: int) -> Logits:
    """Run a network that halves its input on a picture of any size.

    The picture (B, C, H, W) is continued at its right and lower border by its edge pixels up to a multiple, and the
    logits are cut back to (H, W).
    """
    height, width = x.shape[-2:]
    below, right = -height % multiple, -width % multiple
    if not below and not right:
        return network(x)
    logits = network(F.pad(x, (0, right, 0, below), mode="replicate"))
    if isinstance(logits, list):
        return [head[..., :height, :width] for head in logits]
    return logits[..., :height, :width]
