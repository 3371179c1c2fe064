"""Settings of the generators and discriminators. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from restore.core.settings import Settings

SMALLEST_WHOLE = 32
"""Smallest image side in pixels for the local-global discriminator, which halves half of it four times."""

Norm = Literal["batch", "instance", "none"]


class AttentionSettings(Settings):
    """Contextual attention, which copies patches from outside the hole."""

    rate: Annotated[int, Field(ge=1)] = 2
    """Downscaling factor of the grid on which patches are compared."""
    softmax_scale: Annotated[float, Field(gt=0)] = 10.0
    """Factor of the patch similarity before the softmax; larger values favor a single patch."""
    fuse: bool = True
    """Attention propagation: neighboring patches with neighboring matches support each other."""
    published: bool = False
    """Compute attention as in the published code, as imported weights need: patches that touch the hole keep some
    weight."""


class UNetGeneratorSettings(Settings):
    """A U-Net with skip connections at every level (pix2pix)."""

    channels: Annotated[int, Field(ge=2)] = 32
    """Channels of the first layer; published: 64. 32 trains in minutes without a GPU."""
    depth: Annotated[int, Field(ge=2, le=10)] = 6
    """Number of downsampling steps; published: 8, for crops of 256 pixels."""
    start: Literal["smooth", "gray"] = "smooth"
    """Initial content of the hole. smooth: a smooth continuation of the surroundings, to which the network adds detail;
    gray: nothing, as published."""
    detail: bool = False
    """With a smooth start: show the network the image without its local mean, strengthened, and weaken its output as
    much. It learns faster to fill thin holes, but does not see colors."""
    blocks: Annotated[int, Field(ge=0)] = 0
    """Residual blocks before the last layer; published: 0."""
    norm: Norm = "batch"
    """Normalization layers."""
    dropout: bool = False
    """Apply dropout of 0.5 in the inner levels, as a source of randomness."""

    @model_validator(mode="after")
    def _detail_needs_a_smooth_start(self) -> Self:
        if self.detail and self.start != "smooth":
            raise ValueError("detail needs start=smooth: the network adds to a continuation what it does not see")
        return self

    @property
    def changes_only_the_hole(self) -> bool:
        """Whether the network leaves the known region as it is, so that it learns nothing there."""
        return self.start == "smooth"


class CoarseToFineSettings(Settings):
    """Two stages with contextual attention (DeepFill)."""

    channels: Annotated[int, Field(ge=2, multiple_of=2)] = 32
    """Channels of the first layer, an even number; published: 32."""
    gated: bool = False
    """Use gated convolutions, which learn where the hole is (DeepFill v2)."""
    attention: AttentionSettings = AttentionSettings()
    """Contextual attention."""


class PatchDiscriminatorSettings(Settings):
    """One score per overlapping patch (PatchGAN)."""

    channels: Annotated[int, Field(ge=1)] = 32
    """Channels of the first layer; published: 64."""
    layers: Annotated[int, Field(ge=1, le=6)] = 3
    """Number of downsampling layers; with 3 the receptive field is 70x70 pixels."""
    norm: Norm = "none"
    """Normalization layers; not needed with spectral normalization."""
    spectral: bool = True
    """Apply spectral normalization: divide each layer's weights by their largest singular value."""
    sees_mask: bool = True
    """Add the mask to the discriminator's input (DeepFill v2)."""

    @property
    def smallest(self) -> int:
        """Shortest image side in pixels that the discriminator accepts."""
        return 3 << self.layers  # two more convolutions take one place each

    @property
    def mixes_samples(self) -> bool:
        """Whether the score of an image depends on the others in the batch."""
        return self.norm == "batch"


class MultiScaleDiscriminatorSettings(PatchDiscriminatorSettings):
    """PatchGANs at several resolutions."""

    scales: Annotated[int, Field(ge=1, le=4)] = 2
    """Number of resolutions, each half of the previous one."""

    @property
    def smallest(self) -> int:
        """Shortest image side in pixels that the discriminator accepts."""
        return 3 << (self.layers + self.scales - 1)


class LocalGlobalDiscriminatorSettings(Settings):
    """One score for a square around the hole and one for the image."""

    channels: Annotated[int, Field(ge=1)] = 32
    """Channels of the first layer; published: 64."""
    spectral: bool = True
    """Apply spectral normalization: divide each layer's weights by their largest singular value."""

    @property
    def smallest(self) -> int:
        """Shortest image side in pixels that the discriminator accepts."""
        return SMALLEST_WHOLE

    @property
    def mixes_samples(self) -> bool:
        """Whether the score of an image depends on the others in the batch."""
        return False
