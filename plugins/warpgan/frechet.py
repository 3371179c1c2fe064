"""Fréchet distance between the features of two sets of images (FID; Heusel et al., 2017)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from restore.core.errors import UsageError, WeightsError
from restore.core.images.pixels import to_uint8
from restore.core.weights.read_checkpoint import read_checkpoint
from restore.plugins.common.downloading import download
from restore.plugins.common.metrics import PrecomputedMetric

PUBLISHED = "inception"
"""Name of the weights that torch-fidelity publishes, those of the original FID."""


@dataclass(frozen=True)
class FrechetDistance(PrecomputedMetric):
    """Fréchet distance of two normal distributions with the means and covariances of two sets of features.

    A row contains the features (K) of a generated image, then those of a target. The distance falls with the number of
    images, so compare only results for equally many. It is NaN for fewer than two images, which have no covariance.
    """

    name: str = "fid"
    convention: str = "Inception features of torch-fidelity"
    better: Literal["higher", "lower"] = "lower"

    @override
    def reduce(self, rows: Tensor) -> float:
        """Return |m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½), equation 6 of Heusel et al."""
        if len(rows) < 2:
            return float("nan")
        sets = rows.double().chunk(2, dim=1)
        means = [features.mean(0) for features in sets]
        # With C = XᵀX the trace of the root is the sum of the singular values of X1 X2ᵀ, which needs no K x K matrix.
        scaled = [(x - mean) / (len(rows) - 1) ** 0.5 for x, mean in zip(sets, means, strict=True)]
        spreads = [torch.linalg.qr(x, mode="r").R if len(x) > x.shape[1] else x for x in scaled]
        shared = torch.linalg.matrix_norm(spreads[0] @ spreads[1].T, "nuc")
        traces = sum(float(x.square().sum()) for x in spreads)
        return max(0.0, float((means[0] - means[1]).square().sum()) + traces - 2 * float(shared))


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
        raise UsageError("--fid needs torch-fidelity: pip install 'restorekit[metrics]'") from error
    path = Path(weights).expanduser()
    if weights == PUBLISHED:
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
