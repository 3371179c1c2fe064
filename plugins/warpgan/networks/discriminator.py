"""WarpGAN's discriminator: caricature, photograph or drawn by the generator, and whose face."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from einops import rearrange, reduce
from torch import Tensor, nn
from torch.nn import functional as F

from restore.core.runtime.precision import in_full_precision
from restore.plugins.warpgan.networks.layers import Convolution, Linear

KINDS = 3
"""A caricature (0), a photograph (1), or drawn by the generator (2)."""

LEAST = 32
"""Fewest rows and columns that can be halved five times and still be reflected."""


class DiscriminatorOutput(NamedTuple):
    """What the discriminator says of images, as logits."""

    patches: Tensor
    """(B, 3, h, w): which kind each part of an image is."""
    identities: Tensor
    """(B, 3 M): whose caricature it is (0 to M), whose photograph (M to 2 M), or of whom it was drawn (2 M to 3 M)."""
    embedding: Tensor
    """(B, embedding): the face, of length 1."""


class Discriminator(nn.Module):
    """Five halving convolutions; a classifier of every part, and one of identities upon an embedding of length 1.

    Shi, Deb and Jain, 2019, section 3.3. ``channels`` is that of the first layer (32 as published), the last has 16
    times as many. With a ``size`` every place has its own weights, as published, and images of ``size`` x ``size``
    alone are accepted; without, features are averaged over all places first. ``dropout`` acts on what is embedded while
    training; the reference has none.
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
        """Images (B, 3, H, W) in [-1, 1] to logits; ValueError for another size than it was made for."""
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


def predicted_identity(output: DiscriminatorOutput) -> Tensor:
    """Who is most likely shown (B,), whatever the kind of image."""
    of_each_kind = rearrange(output.identities.softmax(1), "b (kind identity) -> b kind identity", kind=KINDS)
    return of_each_kind.sum(1).argmax(1)
