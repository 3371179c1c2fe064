"""Encoder and decoder of the autoencoders, fully convolutional."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from restore.core.specs import Tiling


def convolution(before: int, after: int, size: int, stride: int = 1) -> nn.Conv2d:
    """Build a convolution that keeps height and width (divided by the stride) and, with SiLU, about the variance."""
    layer = nn.Conv2d(before, after, size, stride, padding=(size - 1) // 2)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return layer


class Residual(nn.Module):
    """Residual block of two convolutions, without normalization, so that tiles equal parts of the whole image."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = convolution(channels, channels, 3), convolution(channels, channels, 3)
        nn.init.zeros_(self.second.weight)  # a deep network that starts as a shallow one learns sooner

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, h, w) to the same shape."""
        refined: Tensor = self.second(F.silu(self.first(F.silu(x))))
        return x + refined


def channels_of_levels(channels: int, depth: int) -> list[int]:
    """Return the channels at full size and after each halving: doubled twice, then constant."""
    return [min(channels * 2**level, channels * 4) for level in range(depth + 1)]


class Encoder(nn.Module):
    """Maps images (B, 3, H, W) in [0, 1] to codes (B, latent, ceil(H / 2^depth), ceil(W / 2^depth)).

    A side that 2^depth does not divide is padded at the right or the bottom by repeating the last pixel.
    """

    def __init__(self, latent: int, channels: int, depth: int) -> None:
        super().__init__()
        sizes = channels_of_levels(channels, depth)
        layers: list[nn.Module] = [convolution(3, channels, 3)]
        for before, after in pairwise(sizes):
            layers += [nn.SiLU(), convolution(before, after, 4, stride=2), Residual(after)]
        self.body = nn.Sequential(*layers, nn.SiLU(), nn.Conv2d(sizes[-1], latent, 1))
        self.stride = 2**depth

    def forward(self, image: Tensor) -> Tensor:
        """Return the code of each image."""
        height, width = image.shape[-2:]
        padded = F.pad(image, (0, -width % self.stride, 0, -height % self.stride), mode="replicate")
        code: Tensor = self.body(2 * padded - 1)
        return code


class Decoder(nn.Module):
    """Maps codes (B, latent, h, w) to images (B, 3, H, W) around [0, 1], of any size that the code covers.

    A position of the code covers 2^depth * scale pixels: a scale of 2 or 4 adds one or two stages. Stages repeat pixels
    and convolve; transposed convolutions would cause checkerboard artifacts.
    """

    def __init__(self, latent: int, channels: int, depth: int, scale: int = 1) -> None:
        super().__init__()
        sizes = [*reversed(channels_of_levels(channels, depth)), *[channels] * (scale.bit_length() - 1)]
        layers: list[nn.Module] = [convolution(latent, sizes[0], 1)]
        for before, after in pairwise(sizes):
            layers += [Residual(before), nn.SiLU(), nn.Upsample(scale_factor=2), convolution(before, after, 3)]
        self.body = nn.Sequential(*layers, nn.SiLU(), nn.Conv2d(channels, 3, 3, padding=1))

    def forward(self, code: Tensor, height: int, width: int) -> Tensor:
        """Return the top left ``height`` x ``width`` pixels of each decoded image."""
        decoded: Tensor = self.body(code)
        return (decoded[..., :height, :width] + 1) / 2


class ConvolutionalAutoencoder(nn.Module):
    """An `Encoder` and its `Decoder`.

    Args:
        latent: channels of a code.
        scale: size of a decoded image relative to the encoded one: 1, 2 or 4.
        variational: whether the encoder returns a mean and a log-variance for each channel of a code.
        channels: channels at full resolution.
        depth: number of halvings.
    """

    def __init__(
        self, latent: int, scale: int = 1, variational: bool = False, channels: int = 16, depth: int = 3
    ) -> None:
        super().__init__()
        self.encoder = Encoder(2 * latent if variational else latent, channels, depth)
        self.decoder = Decoder(latent, channels, depth, scale)
        self.stride = self.encoder.stride
        # An output pixel depends on at most 12 code positions to each side.
        self.tiling = Tiling("exact", halo=12 * self.stride, multiple_of=self.stride)
