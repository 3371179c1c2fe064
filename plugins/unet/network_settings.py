"""Settings of the segmentation networks: what each architecture can be built with. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from restore.core.settings import Flag, Settings


class UNetNetwork(Settings):
    """A U-Net."""

    channels: Annotated[int, Field(ge=1), Flag("--channels")] = 32
    """Channels of the first level; each coarser level has twice as many."""
    depth: Annotated[int, Field(ge=1, le=8), Flag("--depth")] = 4
    """Number of downsampling steps."""


class NestedUNetNetwork(UNetNetwork):
    """A UNet++."""

    deep_supervision: Annotated[bool, Flag("--deep-supervision")] = False
    """Train a head at every depth, so that the network can be pruned for inference (--level)."""


class DeepLabNetwork(Settings):
    """A DeepLabV3 or V3+."""

    backbone: Annotated[
        Literal["mobilenet_v3_large", "resnet18", "resnet34", "resnet50", "resnet101"], Flag("--backbone")
    ] = "mobilenet_v3_large"
    """torchvision network that computes the features."""
    channels: Annotated[int, Field(ge=1), Flag("--channels")] = 256
    """Channels of the pyramid and the head."""
