"""What restoration is measured with: protocols that name the degradation, and the images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from restore.core.dataset import ImageDataset, as_dataset
from restore.core.metrics import EvaluationProtocol
from restore.plugins.common.datasets import build_dataset, describe_dataset, evaluation_arguments
from restore.plugins.common.metrics import PSNR, SSIM, Comparison
from restore.plugins.common.registered import RegisteredSettings

CROP = 64
"""``crop_size`` of a dataset that is measured on; its images are whole."""


@dataclass(frozen=True)
class DegradedComparison(Comparison):
    """A comparison that names the degradation of the inputs: without it a number means nothing."""

    dataset: str = ""
    """The dataset and its settings, such as ``restorer/noisy noise=25``."""

    @property
    @override
    def convention(self) -> str:
        """How to print it, as ``8-bit RGB, restorer/noisy noise=25``."""
        return f"{super().convention}, {self.dataset}"


def restoration_protocols(dataset: RegisteredSettings) -> Mapping[str, EvaluationProtocol]:
    """Return PSNR and SSIM of restored images by protocol.

    - ``rgb8``: 8-bit RGB, the convention of papers on color denoising.
    - ``y8``: luma rounded to 8 bits, the convention of papers on JPEG artifacts.
    - ``rgb``: the image as it is.
    """
    described = describe_dataset(dataset)
    compared = {name: DegradedComparison(name, dataset=described) for name in ("rgb8", "y8", "rgb")}
    return {name: {"psnr": PSNR(each), "ssim": SSIM(each)} for name, each in compared.items()}


def evaluation_images(dataset: RegisteredSettings, folder: Path | None) -> ImageDataset:
    """Return the pairs to measure on. Raises what `build_dataset` raises."""
    return as_dataset(build_dataset(dataset, {**evaluation_arguments(folder), "crop_size": CROP}))
