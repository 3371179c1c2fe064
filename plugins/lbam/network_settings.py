"""Settings of LBAM's networks: what each architecture can be built with. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from restore.core.settings import Settings

Prefill = Literal["none", "smooth"]
"""Initial content of the hole."""


class GeneratorSettings(Settings):
    """A U-Net with learned attention maps of the mask."""

    channels: Annotated[int, Field(ge=1)] = 24
    """Channels of the first level; the deepest four levels have eight times as many. Published: 64 (68 million
    parameters)."""
    prefill: Prefill = "none"
    """Initial content of the hole. none: nothing, as published; smooth: a smooth continuation of the surroundings, to
    which the network adds detail. Default without --data: smooth."""
    levels: Annotated[int, Field(ge=2, le=7)] = 7
    """Number of halvings of height and width; published: 7."""
    blocks: Annotated[int, Field(ge=0)] = 0
    """Residual blocks at the finest level of the decoder, before its attention; published: 0."""
    detail: bool = False
    """With prefill=smooth: show the network the image without its local mean, strengthened, and weaken its output as
    much. It learns faster to fill thin holes, but does not see colors."""

    @model_validator(mode="after")
    def _detail_needs_a_prefill(self) -> Self:
        if self.detail and self.prefill == "none":
            raise ValueError("detail needs prefill=smooth: the network adds to a prefill what it does not see")
        return self

    @property
    def changes_only_the_hole(self) -> bool:
        """Whether the network leaves the known region as it is, so that it learns nothing there."""
        return self.prefill == "smooth"


class TwoColumnSettings(Settings):
    """One column for the hole, one for the rest."""

    channels: Annotated[int, Field(ge=1)] = 16
    """Channels of the first layer; the last layers have eight times as many. Published: 64."""
    published: bool = False
    """Build the network of the published code, for comparisons. It has batch normalization and a final sigmoid,
    which both conflict with the Wasserstein loss, and accepts only crops of 256 pixels."""

    @property
    def mixes_samples(self) -> bool:
        """Whether the score of an image depends on the others in the batch."""
        return self.published
