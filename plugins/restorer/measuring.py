"""What restoration is measured with: protocols that name the degradation, and the images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from restore.core.dataset import ImageDataset, as_dataset
from restore.core.metrics import EvaluationProtocol
from restore.plugins.common.datasets import build_dataset, describe_dataset, evaluation_arguments
from restore.plugins.common.metrics import PSNR, SSIM, Comparison
from restore.plugins.common.registered import RegisteredSettings

CROP = 64
"""``crop_size`` of a dataset that is measured on; its images are whole."""


def restoration_protocols(dataset: RegisteredSettings) -> Mapping[str, EvaluationProtocol]:
    """Return PSNR and SSIM of restored images by protocol.

    - ``rgb8``: 8-bit RGB, the convention of papers on color denoising.
    - ``y8``: luma rounded to 8 bits, the convention of papers on JPEG artifacts.
    - ``rgb``: the image as it is.
    """
    described = describe_dataset(dataset)
    compared = {name: Comparison(name, degraded=described) for name in ("rgb8", "y8", "rgb")}
    return {name: {"psnr": PSNR(each), "ssim": SSIM(each)} for name, each in compared.items()}


def evaluation_images(dataset: RegisteredSettings, folder: Path | None) -> ImageDataset:
    """Return the pairs to measure on. Raises what `build_dataset` raises."""
    return as_dataset(build_dataset(dataset, {**evaluation_arguments(folder), "crop_size": CROP}))
