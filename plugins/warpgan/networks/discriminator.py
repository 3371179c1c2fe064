"""WarpGAN's discriminator: it classifies kinds (caricature, photograph, generated) and identities."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from einops import rearrange, reduce
from torch import Tensor, nn
from torch.nn import functional as F

from restore.core.runtime.precision import in_full_precision
from restore.plugins.warpgan.networks.layers import Convolution, Linear

KINDS = 3
"""Number of kinds: caricature (0), photograph (1), generated (2)."""

LEAST = 32
"""Fewest rows and columns that five halvings with reflection padding allow."""


class DiscriminatorOutput(NamedTuple):
    """Output of the discriminator for a batch of images."""

    patches: Tensor
    """Logits of the kind of each patch (B, 3, h, w)."""
    identities: Tensor
    """Logits of M identities per kind (B, 3 M): caricatures, then photographs, then generated images."""
    embedding: Tensor
    """Face embedding (B, embedding), of length 1."""


class Discriminator(nn.Module):
    """Five convolutions of stride 2, a classifier of patches, and one of identities on a normalized embedding.

    Shi, Deb and Jain, 2019, section 3.3.

    Args:
        size: side of the images in pixels. Every position then has its own weights, as published, and other sizes are
            rejected. None averages features over all positions first.
        identities: number of identities.
        channels: channels of the first layer (published: 32); the last has 16 times as many.
        embedding: dimensions of the embedding.
        dropout: probability of dropout before the embedding; the published code has none.
    """

    def __init__(
        self, size: int | None, identities: int, channels: int = 32, embedding: int = 512, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if size is not None and size < LEAST:
            raise ValueError(f"the discriminator needs images of {LEAST} x {LEAST} pixels or more, not {size}")
        self.size = size
        widths = [3, *(channels * 2**level for level in range(5))]
        self.convolutions = nn.ModuleList(
            Convolution(before, after, 4, stride=2, bias=True) for before, after in pairwise(widths)
        )
        self.patches = Convolution(widths[-1], KINDS, 1, bias=True)
        self.dropout = nn.Dropout(dropout)
        self.embedding = Linear(widths[-1] * (1 if size is None else (size // 32) ** 2), embedding)
        self.identities = Linear(embedding, 3 * identities)

    def forward(self, image: Tensor) -> DiscriminatorOutput:
        """Images (B, 3, H, W) in [-1, 1] to logits. Raises ValueError for a size that is not accepted."""
        height, width = image.shape[-2:]
        if self.size is not None and (height, width) != (self.size, self.size):
            raise ValueError(f"this discriminator needs {self.size} x {self.size} pixels, not {width} x {height}")
        if min(height, width) < LEAST:
            raise ValueError(f"images must have {LEAST} x {LEAST} pixels or more, not {width} x {height}")
        features = image
        for convolution in self.convolutions:
            features = F.leaky_relu(convolution(features), 0.2)
        patches = in_full_precision(self.patches, features)
        if self.size is None:
            features = reduce(features, "b c h w -> b c 1 1", "mean")
        embedding = F.normalize(in_full_precision(self.embedding, self.dropout(features.flatten(1))), dim=1)
        return DiscriminatorOutput(patches, in_full_precision(self.identities, embedding), embedding)


def predict_identity(output: DiscriminatorOutput) -> Tensor:
    """Return the most probable identity (B,), summed over kinds."""
    of_each_kind = rearrange(output.identities.softmax(1), "b (kind identity) -> b kind identity", kind=KINDS)
    return of_each_kind.sum(1).argmax(1)
