"""The two halves of an autoencoder, fully convolutional."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F


def convolution(before: int, after: int, size: int, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps height and width (over the stride) and, under SiLU, about the signal's variance."""
    layer = nn.Conv2d(before, after, size, stride, padding=(size - 1) // 2)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return layer


class Residual(nn.Module):
    """Two convolutions beside the identity. Nothing is normalised: a tile must not differ from the whole picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = convolution(width, width, 3), convolution(width, width, 3)
        nn.init.zeros_(self.second.weight)  # a deep network starts as a shallow one and learns sooner

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, width, h, w) of the same shape."""
        refined: Tensor = self.second(F.silu(self.first(F.silu(x))))
        return x + refined


def widths(width: int, stages: int) -> list[int]:
    """Channels at full size and after each halving: doubled twice, then kept."""
    return [min(width * 2**stage, width * 4) for stage in range(stages + 1)]


class Encoder(nn.Module):
    """Picture (B, 3, H, W) in [0, 1] to code (B, channels, ceil(H / 2^stages), ceil(W / 2^stages)).

    A side that 2^stages does not divide is continued to the right or below by repeating the last pixel.
    """

    def __init__(self, channels: int, width: int, stages: int) -> None:
        super().__init__()
        sizes = widths(width, stages)
        layers: list[nn.Module] = [convolution(3, width, 3)]
        for before, after in pairwise(sizes):
            layers += [nn.SiLU(), convolution(before, after, 4, stride=2), Residual(after)]
        self.body = nn.Sequential(*layers, nn.SiLU(), nn.Conv2d(sizes[-1], channels, 1))
        self.stride = 2**stages

    def forward(self, picture: Tensor) -> Tensor:
        """The code of each picture."""
        height, width = picture.shape[-2:]
        padded = F.pad(picture, (0, -width % self.stride, 0, -height % self.stride), mode="replicate")
        code: Tensor = self.body(2 * padded - 1)
        return code


class Decoder(nn.Module):
    """Code (B, channels, h, w) to picture (B, 3, H, W), about [0, 1] but not clamped, of any size that the code covers.

    A place of the code covers 2^stages * scale pixels: a scale of 2 or 4 adds one or two stages, and the picture comes
    out larger than it went in. Stages repeat pixels and convolve; transposed convolutions would draw a checkerboard.
    """

    def __init__(self, channels: int, width: int, stages: int, scale: int = 1) -> None:
        super().__init__()
        sizes = [*reversed(widths(width, stages)), *[width] * (scale.bit_length() - 1)]
        layers: list[nn.Module] = [convolution(channels, sizes[0], 1)]
        for before, after in pairwise(sizes):
            layers += [Residual(before), nn.SiLU(), nn.Upsample(scale_factor=2), convolution(before, after, 3)]
        self.body = nn.Sequential(*layers, nn.SiLU(), nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, code: Tensor, height: int, width: int) -> Tensor:
        """The upper left ``height`` x ``width`` pixels of what each code stands for."""
        decoded: Tensor = self.body(code)
        return (decoded[..., :height, :width] + 1) / 2
