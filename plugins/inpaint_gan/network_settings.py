"""Settings of the generators and discriminators. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from restore.core.settings import Flag, Settings

SMALLEST_WHOLE = 32
"""Smallest image side in pixels for the local-global discriminator, which halves half of it four times."""

Norm = Literal["batch", "instance", "none"]


class AttentionSettings(Settings):
    """coarse-to-fine: contextual attention, which copies patches from outside the hole."""

    rate: Annotated[int, Field(ge=1)] = 2
    """Downscaling factor of the grid on which patches are compared."""
    softmax_scale: Annotated[float, Field(gt=0)] = 10.0
    """Factor of the patch similarity before the softmax; larger values favor a single patch."""
    fuse: bool = True
    """Attention propagation: neighboring patches with neighboring matches support each other."""
    published: bool = False
    """Compute attention as in the published code, as imported weights need: patches that touch the hole keep some
    weight."""


class ModelSettings(Settings):
    """The generator: everything needed to rebuild it."""

    generator: Annotated[Literal["unet", "coarse-to-fine"], Flag("--generator")] = "unet"
    """unet: skip connections at every level (pix2pix); coarse-to-fine: two stages with contextual attention
    (DeepFill)."""
    channels: Annotated[int, Field(ge=2)] = 32
    """Channels of the first layer. Published: 64 for unet, 32 for coarse-to-fine. A unet with 32 trains in minutes
    without a GPU."""
    depth: Annotated[int, Field(ge=2, le=10)] = 6
    """unet: number of downsampling steps; published: 8, for crops of 256 pixels."""
    start: Literal["smooth", "gray"] = "smooth"
    """unet: initial content of the hole. smooth: a smooth continuation of the surroundings, to which the network adds
    detail; gray: nothing, as published."""
    detail: bool = False
    """unet with a smooth start: show the network the image without its local mean, strengthened, and weaken its output
    as much. It learns faster to fill thin holes, but does not see colors."""
    blocks: Annotated[int, Field(ge=0)] = 0
    """unet: residual blocks before the last layer; published: 0."""
    norm: Norm = "batch"
    """unet: normalization layers."""
    dropout: bool = False
    """unet: apply dropout of 0.5 in the inner levels, as a source of randomness."""
    gated: bool = False
    """coarse-to-fine: use gated convolutions, which learn where the hole is (DeepFill v2)."""
    attention: AttentionSettings = AttentionSettings()
    """coarse-to-fine: contextual attention."""
    window: Annotated[int, Field(ge=16)] | None = None
    """Largest side in pixels that the network processes at once; unset: the crop size."""

    @model_validator(mode="after")
    def _options_belong_to_the_generator(self) -> Self:
        if self.generator == "unet" and self.gated:
            raise ValueError("gated: unet has no gated convolutions; use generator=coarse-to-fine")
        if self.detail and (self.generator != "unet" or self.start != "smooth"):
            raise ValueError("detail: only a unet with start=smooth has detail to look at")
        if self.generator == "coarse-to-fine" and self.blocks:
            raise ValueError("blocks: only unet has residual blocks before the last layer")
        if self.generator == "coarse-to-fine" and self.channels % 2:
            raise ValueError(f"channels={self.channels}: coarse-to-fine needs an even number")
        return self


class DiscriminatorSettings(Settings):
    """The discriminator, which separates real images from inpainted ones; only training needs it."""

    kind: Annotated[Literal["patch", "multi-scale", "local-global"], Flag("--discriminator")] = "patch"
    """patch: one score per overlapping patch (PatchGAN); multi-scale: PatchGANs at several resolutions; local-global:
    one score for a square around the hole and one for the image."""
    channels: Annotated[int, Field(ge=1)] = 32
    """Channels of the first layer; published: 64."""
    layers: Annotated[int, Field(ge=1, le=6)] = 3
    """patch, multi-scale: number of downsampling layers; with 3 the receptive field is 70x70 pixels."""
    norm: Norm = "none"
    """patch, multi-scale: normalization layers; not needed with spectral normalization."""
    spectral: bool = True
    """Apply spectral normalization: divide each layer's weights by their largest singular value."""
    scales: Annotated[int, Field(ge=1, le=4)] = 2
    """multi-scale: number of resolutions, each half of the previous one."""
    sees_mask: bool = True
    """patch, multi-scale: add the mask to the discriminator's input (DeepFill v2)."""

    @property
    def smallest(self) -> int:
        """Shortest image side in pixels that the discriminator accepts."""
        if self.kind == "local-global":
            return SMALLEST_WHOLE
        halvings = self.layers + (self.scales - 1 if self.kind == "multi-scale" else 0)
        return 3 << halvings  # at the coarsest scale two more convolutions take one place each
