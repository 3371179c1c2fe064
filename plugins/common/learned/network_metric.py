"""What metrics share that compare two images through a trained network, and where its weights come from."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from typing_extensions import override

from restore.core.errors import UsageError, WeightsError
from restore.core.weights.read_checkpoint import read_checkpoint
from restore.plugins.common.learned.settings import PUBLISHED
from restore.plugins.common.metrics import Comparison
from restore.plugins.common.published import fetch_published, load_layers
from restore.plugins.common.quality.sized import SizedImageMetric


@dataclass(frozen=True)
class NetworkMetric(SizedImageMetric):
    """A distance of two 8-bit RGB images that a network computes in fp32; gray ones count as RGB.

    Args:
        network: from two batches (B, 3, H, W) in [0, 1] to distances (B,).
        name: of the metric.
        looks_through: the network in words, for the convention.
        smallest: shortest side that it can look at, in pixels.
        border: pixels cropped from each side.
    """

    network: nn.Module = field(repr=False, compare=False)
    name: str
    looks_through: str
    smallest: int
    border: int = 0
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    @property
    def convention(self) -> str:
        """What was compared, and how."""
        return f"{self.looks_through}, 8-bit RGB" + (f", border {self.border}" if self.border else "")

    @property
    @override
    def least_side(self) -> int:
        return self.smallest + 2 * self.border

    @override
    def values(self, prediction: Tensor, target: Tensor) -> Tensor:
        pair = Comparison("rgb8", self.border)(prediction, target)
        a, b = ((image / 255).float().expand(-1, 3, -1, -1) for image in pair)
        with torch.no_grad(), torch.autocast(a.device.type, enabled=False):
            distances: Tensor = self.network.to(a.device)(a, b)
        return distances.to(pair[0].dtype)


class Layers(nn.Module):
    """Some layers of a network of torchvision, and the outputs of those that are wanted."""

    def __init__(self, network: str, wanted: tuple[int, ...], weights: str) -> None:
        """Read the layers.

        Args:
            network: torchvision's name, such as ``alexnet``.
            wanted: which of ``features`` return their output, in ascending order.
            weights: ``published``, or the path of that file.

        Raises:
            UsageError: there is no such file.
            WeightsError: the file is of another network.
            RestoreError: the published file cannot be downloaded.
        """
        super().__init__()
        from torchvision.models import get_model  # slow to import

        with torch.device("meta"):  # the classifiers, which are not needed, are the larger part
            features: nn.Sequential = get_model(network, weights=None).features[: wanted[-1] + 1]
        self.wanted = wanted
        self.features = features.to_empty(device="cpu")
        path = fetch_published(network) if weights == PUBLISHED else Path(weights).expanduser()
        if not path.is_file():
            raise UsageError(f"{path}: no such file; expected weights of torchvision's {network}, or {PUBLISHED}")
        load_layers(self, path, f"torchvision's {network}")
        self.requires_grad_(False)
        self.eval()

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the wanted outputs of images that are normalized."""
        found = []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.wanted:
                found.append(x)
        return found


def read_of_torchmetrics(place: str, name: str) -> Mapping[str, Tensor]:
    """Return the tensors of a small file that torchmetrics ships, such as ``lpips_models/alex.pth``.

    Args:
        place: path of the file in the folder of its functions for images.
        name: the metric that needs it, for errors.

    Raises:
        UsageError: torchmetrics is not installed.
        WeightsError: it has no such file.
    """
    package = importlib.util.find_spec("torchmetrics")  # not imported, which takes seconds
    if package is None or package.origin is None:
        raise UsageError(f"{name} needs weights that torchmetrics ships: pip install 'restorekit[metrics]'")
    path = Path(package.origin).parent / "functional" / "image" / place
    if not path.is_file():
        raise WeightsError(f"{path} is missing, which {name} needs; it came with torchmetrics 1.9")
    return read_checkpoint(path).tensors
