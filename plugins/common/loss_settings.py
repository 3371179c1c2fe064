"""Losses that are chosen by name, each with its weight and its own settings. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from restore.core.settings import RegisteredName, Settings
from restore.plugins.common.registered import RegisteredSettings

Weight = Annotated[float, Field(ge=0)]


def one_or_several(value: Any) -> Any:
    """Return a list of losses, also for the only one: ``loss: common/l1``. Raises ValueError if it is empty."""
    if isinstance(value, (list, tuple)) and not value:
        raise ValueError("name at least one loss")
    return value if isinstance(value, (list, tuple)) else (value,)


OneOrSeveral = BeforeValidator(one_or_several)


class LossSettings(RegisteredSettings):
    """One term of a loss: ``common/charbonnier,weight=0.5,epsilon=1e-3``."""

    name: Annotated[str, RegisteredName("losses")]
    """Registered name of the loss."""
    weight: Weight = 1.0
    """Weight of its terms."""


class ImageLossSettings(LossSettings):
    """A loss that compares images."""

    name: Annotated[str, RegisteredName("losses", roles=("pixel", "perceptual"))]


class InpaintingLossSettings(LossSettings):
    """A loss that compares images, or their holes."""

    name: Annotated[str, RegisteredName("losses", roles=("pixel", "perceptual", "inpainting"))]


class SegmentationLossSettings(LossSettings):
    """A loss that compares logits with masks."""

    name: Annotated[str, RegisteredName("losses", roles=("segmentation",))]


class CharbonnierSettings(Settings):
    """Settings of the Charbonnier loss."""

    epsilon: Annotated[float, Field(gt=0)] = 1e-3
    """Error at which the loss changes from quadratic to linear."""


class MaskedSettings(Settings):
    """Settings of a loss with separate weights inside and outside the hole."""

    hole: Weight = 6.0
    """Weight inside the hole; 0 leaves the term out."""
    known: Weight = 1.0
    """Weight outside the hole; 0 leaves the term out."""

    @model_validator(mode="after")
    def _something_is_compared(self) -> Self:
        if not (self.hole or self.known):
            raise ValueError("hole and known are both 0, so no pixel would be compared; raise one of them")
        return self


class DiscountSettings(Settings):
    """Settings of a loss that is discounted by the distance to known pixels."""

    discount: Annotated[float, Field(gt=0, le=1)] = 0.99
    """Factor per step from the nearest known pixel."""
