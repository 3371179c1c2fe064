"""What restoration is compared with: the input as it is, and non-local means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import convolve
from torch import Tensor
from typing_extensions import override

from restore.core.dataset import Batch, ImageDataset
from restore.core.method import Method, P, S
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.settings import Settings
from restore.core.specs import Tiling
from restore.plugins.restorer.measuring import evaluation_images, restoration_protocols
from restore.plugins.restorer.settings import (
    IdentitySettings,
    NonLocalMeansOptions,
    NonLocalMeansSettings,
    RestorerEvaluateOptions,
)


class Classical(Method[S, P, RestorerEvaluateOptions]):
    """Base of the classical methods."""

    @override
    def protocols(self) -> Mapping[str, EvaluationProtocol]:
        return restoration_protocols(self.evaluate_options.dataset)

    @property
    @override
    def default_protocol(self) -> str:
        return "rgb8"

    @override
    def evaluation_data(self, folder: Path | None) -> ImageDataset:
        return evaluation_images(self.evaluate_options.dataset, folder)


class Identity(Classical[IdentitySettings, Settings]):
    """Returns the input."""

    @property
    @override
    def tiling(self) -> Tiling:
        return Tiling("exact", halo=0)

    @override
    def predict(self, batch: Batch, networks: Networks) -> Batch:
        return {"output": batch["input"].clamp(0, 1)}


class NonLocalMeans(Classical[NonLocalMeansSettings, NonLocalMeansOptions]):
    """Each pixel becomes the mean of pixels with similar surroundings (Buades et al., 2005)."""

    @property
    @override
    def tiling(self) -> Tiling:
        return Tiling("whole")  # the noise is estimated in the whole image

    @override
    def predict(self, batch: Batch, networks: Networks) -> Batch:
        """Return ``output`` (B, 3, H, W) in [0, 1]."""
        given = self.predict_options.sigma or self.settings.model.sigma
        return {"output": torch.stack([denoise(image, given and given / 255) for image in batch["input"]]).clamp(0, 1)}


def denoise(image: Tensor, sigma: float | None) -> Tensor:
    """Denoise an image (3, H, W) in [0, 1] with patches of 5 pixels, searched up to 6 pixels away.

    Args:
        image: the image.
        sigma: standard deviation of the noise; None: estimated.
    """
    from skimage.restoration import denoise_nl_means

    values = image.detach().cpu().numpy().transpose(1, 2, 0).astype(np.float64)
    sigma = estimate_noise(values) if sigma is None else sigma
    if sigma > 0:
        values = denoise_nl_means(values, patch_size=5, patch_distance=6, h=0.5 * sigma, sigma=sigma, channel_axis=-1)
    return torch.from_numpy(values).permute(2, 0, 1).to(image)


def estimate_noise(image: np.ndarray) -> float:
    """Estimate the standard deviation of the noise in an image (H, W, C) (Immerkær, 1996).

    The mask is the difference of two Laplacians: it does not see edges that are straight, and is 6 times as noisy as a
    pixel.
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float64)[..., None]
    seen = np.abs(convolve(image, mask, mode="reflect"))[1:-1, 1:-1]
    return float(np.sqrt(np.pi / 2) / 6 * seen.mean()) if seen.size else 0.0
