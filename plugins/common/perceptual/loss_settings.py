"""Settings of the perceptual and the style loss, where they are chosen by name. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field
from typing_extensions import override

from restore.plugins.common.perceptual.settings import FeatureNetworkSettings, Network


class OwnNetworkSettings(FeatureNetworkSettings):
    """Settings of a loss that is chosen by name and has its own network."""

    @override
    def resolved(self) -> Self:
        from restore.plugins.common.perceptual.weights import resolve_features  # imports torch

        return resolve_features(self, "weights=imagenet to the name of the loss")


class PerceptualLossSettings(OwnNetworkSettings):
    """Settings of a perceptual loss that is chosen by name."""

    criterion: Literal["l1", "mse"] = "mse"
    """Distance between features: mean absolute or mean squared difference."""


class StyleLossSettings(OwnNetworkSettings):
    """Settings of a style loss that is chosen by name."""

    network: Network = "vgg16"
    layers: dict[str, Annotated[float, Field(gt=0)]] = {"pool1": 1.0, "pool2": 1.0, "pool3": 1.0}  # noqa: RUF012
