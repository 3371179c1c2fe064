"""The pairs of super-resolution from a dataset that is chosen by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restore.core.dataset import ImageDataset, as_dataset
from restore.core.errors import UsageError
from restore.core.settings import RunSettings
from restore.plugins.common.datasets import build_dataset, evaluation_arguments
from restore.plugins.common.degradation.pipeline import Degradation, degradation_of
from restore.plugins.common.degradation.settings import DegradationSettings
from restore.plugins.common.images.folders import Split, split_arguments
from restore.plugins.common.images.sources import as_source
from restore.plugins.common.super_resolution.dataset import make_pairs
from restore.plugins.common.super_resolution.settings import SAMPLE, SuperResolutionData

CROP = 96
"""``crop_size`` of a dataset that is measured on; its images are whole."""


def training_pairs(
    split: Split,
    settings: RunSettings,
    chosen: SuperResolutionData,
    *,
    scale: int,
    crop_size: int,
    degradation: DegradationSettings | None = None,
) -> ImageDataset:
    """Return the pairs that a run trains or validates on.

    Args:
        split: training or validation.
        settings: settings of the run: folders, the fraction for validation and the seed.
        chosen: the dataset.
        scale: how many times larger targets are than inputs.
        crop_size: side of training targets in pixels.
        degradation: how inputs are made of targets; None: with bicubic downscaling alone.

    Raises:
        UnfitForRole: the dataset does not hold what its role promises.
        RestoreError: pairs cannot be made from its images.
    """
    return _pairs(chosen, split_arguments(settings, split), scale, crop_size, degradation_of(degradation, scale))


def open_evaluation_pairs(
    folder: Path | None, chosen: SuperResolutionData, scale: float, degradation: DegradationSettings | None = None
) -> ImageDataset:
    """Return the pairs to measure on: those of a folder, or what the dataset has for it. Raises as `training_pairs`."""
    return _pairs(chosen, evaluation_arguments(folder), scale, CROP, degradation_of(degradation, scale))


def _pairs(
    chosen: SuperResolutionData,
    given: Mapping[str, Any],
    scale: float,
    crop_size: int,
    degradation: Degradation | None,
) -> ImageDataset:
    if chosen.role == "images":
        source = as_source(build_dataset(chosen, given))
        return make_pairs(given["split"], source, scale, crop_size, degradation=degradation)
    given = {**given, "scale": scale, "crop_size": crop_size}
    if degradation is not None and chosen.full_name != SAMPLE:
        raise UsageError(
            f"--degradation.preset: {chosen.full_name} makes inputs of its own; leave out the settings of degradation, "
            f"or choose a dataset of images alone, such as --dataset {SAMPLE}"
        )
    return as_dataset(build_dataset(chosen, given if degradation is None else {**given, "degradation": degradation}))
