"""Settings of the metrics that look through trained networks. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal

from restore.core.settings import OrPath, Settings
from restore.plugins.common.metric_settings import BorderSettings

Backbone = Literal["alex", "squeeze", "vgg"]
PUBLISHED = "published"
"""Instead of a path: the weights that the authors of the network publish."""


class PublishedWeights(Settings):
    """Where the weights of a network come from."""

    weights: Annotated[str, OrPath((PUBLISHED,))] = PUBLISHED
    """published: the published file, downloaded to torch's cache unless it is there already; or the path of such a
    file."""


class DISTSSettings(PublishedWeights, BorderSettings):
    """Weights of VGG16 (528 MB), and which part of two images is compared."""


class LPIPSSettings(DISTSSettings):
    """The network, its weights, and which part of two images is compared."""

    network: Backbone = "alex"
    """alex: AlexNet, the usual one in tables (233 MB to download); squeeze: SqueezeNet 1.1 (5 MB); vgg: VGG16
    (528 MB)."""
