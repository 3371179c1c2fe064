"""Features of the Inception network of the original FID, and the metrics of two sets of images that compare them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from restore.core.errors import UsageError, WeightsError
from restore.core.images.pixels import to_uint8
from restore.core.weights.read_checkpoint import read_checkpoint
from restore.plugins.common.downloading import download
from restore.plugins.common.learned.distributions import FrechetDistance, KernelDistance, SetDistance
from restore.plugins.common.learned.separability import PairedInceptionDiscrimination, UnpairedInceptionDiscrimination
from restore.plugins.common.learned.settings import PUBLISHED

INCEPTION = "inception"
"""Name of the weights that torch-fidelity publishes, those of the original FID."""


@lru_cache(maxsize=1)
def inception_features(weights: str) -> Callable[[Tensor], Tensor]:
    """Return a function from images (B, 3, H, W) in [0, 1] to features (B, 2048), as torch-fidelity computes them.

    ``weights`` is ``inception`` (torch-fidelity's file, downloaded once to torch's cache) or the path of that file.
    Only tensors are read from it. Raises UsageError if torch-fidelity is not installed or the file does not exist,
    WeightsError for another file, RestoreError if the download fails.
    """
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3
    except ImportError as error:
        raise UsageError("Inception features need torch-fidelity: pip install 'restorekit[metrics]'") from error
    path = Path(weights).expanduser()
    if weights == INCEPTION:
        path = Path(torch.hub.get_dir()) / "checkpoints" / URL_INCEPTION_V3.rpartition("/")[2]
        if not path.is_file():
            download(URL_INCEPTION_V3, path)
    tensors = read_checkpoint(path).tensors
    with tempfile.TemporaryDirectory() as folder:
        clean = Path(folder) / "inception.pth"  # torch-fidelity unpickles its file, so it gets a safe one
        torch.save(tensors, clean)
        try:
            network = FeatureExtractorInceptionV3("inception", ["2048"], feature_extractor_weights_path=str(clean))
            network.eval()  # some versions of torch-fidelity do not, and would use batch statistics
        except (RuntimeError, KeyError) as error:
            raise WeightsError(f"{path}: not a weights file of torch-fidelity's Inception network") from error

    def features(images: Tensor) -> Tensor:
        levels = to_uint8(images)
        with torch.autocast(images.device.type, enabled=False):
            (seen,) = network.to(images.device)(levels)
        return torch.as_tensor(seen)

    return features


@dataclass(frozen=True)
class InceptionMetric:
    """A distance between the outputs and their targets as sets, by Inception features; no image has one of its own."""

    features: Callable[[Tensor], Tensor] = field(repr=False, compare=False)
    distance: SetDistance
    looks_through: str
    """Whose network it is, for the convention."""

    @property
    def name(self) -> str:
        """Name of the distance."""
        return self.distance.name

    @property
    def convention(self) -> str:
        """What was compared, and how."""
        return ", ".join(filter(None, [f"Inception of {self.looks_through}, 8-bit RGB", self.distance.how]))

    @property
    def better(self) -> Literal["higher", "lower"]:
        """Whether higher or lower values are better."""
        return self.distance.better

    def measure(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the features of both, (B, 4096), float64, of images (B, 1 or 3, H, W) in [0, 1]."""
        seen = [self.features(images.clamp(0, 1).expand(-1, 3, -1, -1)) for images in (prediction, target)]
        return torch.cat(seen, dim=1).double()

    def reduce(self, rows: Tensor) -> float:
        """Return the distance; NaN for fewer than two images."""
        return self.distance.reduce(rows)


def _build(distance: SetDistance, weights: str) -> InceptionMetric:
    published = weights == PUBLISHED
    features = inception_features(INCEPTION if published else weights)
    return InceptionMetric(features, distance, "torch-fidelity" if published else Path(weights).name)


def build_fid(weights: str = PUBLISHED) -> InceptionMetric:
    """Build the Fréchet Inception distance. Raises as `inception_features`."""
    return _build(FrechetDistance(), weights)


def build_kid(weights: str = PUBLISHED) -> InceptionMetric:
    """Build the kernel Inception distance. Raises as `inception_features`."""
    return _build(KernelDistance(), weights)


def build_p_ids(weights: str = PUBLISHED) -> InceptionMetric:
    """Build the paired Inception discriminative score. Raises as `inception_features`."""
    return _build(PairedInceptionDiscrimination(), weights)


def build_u_ids(weights: str = PUBLISHED) -> InceptionMetric:
    """Build the unpaired Inception discriminative score. Raises as `inception_features`."""
    return _build(UnpairedInceptionDiscrimination(), weights)
