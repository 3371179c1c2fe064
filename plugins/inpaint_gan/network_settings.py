"""Settings of the generators and of their opponents. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from restore.core.settings import Flag, Settings

SMALLEST_WHOLE = 32
"""Side in pixels of the smallest images that the local-global discriminator judges: it halves half of it four times."""

Norm = Literal["batch", "instance", "none"]


class AttentionSettings(Settings):
    """coarse-to-fine: contextual attention, which draws with patches from outside the hole."""

    rate: Annotated[int, Field(ge=1)] = 2
    """How much coarser the grid is on which patches are compared."""
    softmax_scale: Annotated[float, Field(gt=0)] = 10.0
    """Factor of the likeness of patches before the softmax: the larger, the more a single patch decides."""
    fuse: bool = True
    """Let neighboring patches that point at neighbors support each other."""
    published: bool = False
    """Compute as the published code does, which imported weights need: patches that touch the hole keep a share."""


class ModelSettings(Settings):
    """The generator: all that is needed to build it again."""

    generator: Annotated[Literal["unet", "coarse-to-fine"], Flag("--generator")] = "unet"
    """unet: skips at every level, as in pix2pix; coarse-to-fine: two stages with contextual attention (DeepFill)."""
    channels: Annotated[int, Field(ge=2)] = 32
    """Channels of the first layer. Published are 64 of unet and 32 of coarse-to-fine; half of 64 trains in minutes
    without a GPU."""
    depth: Annotated[int, Field(ge=2, le=10)] = 6
    """unet: how often the image is halved; 8, as published, for crops of 256 pixels."""
    start: Literal["smooth", "gray"] = "smooth"
    """unet: what it is shown in the hole; a smooth continuation of what is around it, to which it adds what is missing,
    or gray, from which it draws everything, as published."""
    norm: Norm = "batch"
    """unet: normalization of its features."""
    dropout: bool = False
    """unet: leave out half of the features of the levels inside, as a source of randomness."""
    gated: bool = False
    """coarse-to-fine: gated convolutions, which learn where the hole is (DeepFill v2)."""
    attention: AttentionSettings = AttentionSettings()
    """coarse-to-fine: how patches are found."""
    window: Annotated[int, Field(ge=16)] | None = None
    """Largest side in pixels at which it is used at once; unset: that of the crops it is trained on."""

    @model_validator(mode="after")
    def _options_belong_to_the_generator(self) -> Self:
        if self.generator == "unet" and self.gated:
            raise ValueError("gated: only the coarse-to-fine generator has gated convolutions, not unet")
        if self.generator == "coarse-to-fine" and self.channels % 2:
            raise ValueError(f"channels: coarse-to-fine halves it once, so it is even, not {self.channels}")
        return self


class DiscriminatorSettings(Settings):
    """The network that tells photographs from filled ones; only training needs it."""

    kind: Annotated[Literal["patch", "multi-scale", "local-global"], Flag("--discriminator")] = "patch"
    """patch: a score for each overlapping patch; multi-scale: the same at several resolutions; local-global: one score
    for the hole with its surroundings and one for the image."""
    channels: Annotated[int, Field(ge=1)] = 32
    """Channels of its first layer; 64 as published."""
    layers: Annotated[int, Field(ge=1, le=6)] = 3
    """patch, multi-scale: how often patches are halved; with 3 each score sees 70x70 pixels."""
    norm: Norm = "none"
    """patch, multi-scale: normalization of its features; with spectral normalization none is needed."""
    spectral: bool = True
    """Divide each layer's weights by their largest singular value, so that scores change no faster than images."""
    scales: Annotated[int, Field(ge=1, le=4)] = 2
    """multi-scale: how many resolutions, each half of the one before."""
    sees_mask: bool = True
    """patch, multi-scale: show it where the hole is, besides the image (DeepFill v2)."""

    @property
    def smallest(self) -> int:
        """Shortest side in pixels of images that it can judge."""
        if self.kind == "local-global":
            return SMALLEST_WHOLE
        halvings = self.layers + (self.scales - 1 if self.kind == "multi-scale" else 0)
        return 3 << halvings  # at the coarsest scale two more convolutions take one place each
