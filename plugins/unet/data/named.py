"""Datasets of the role ``segmentation``: the family's own, and those of other plugins as its sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from restore.core.errors import UsageError
from restore.core.images.files import ImageFile
from restore.core.images.pixels import to_uint8
from restore.plugins.common.datasets import build_dataset
from restore.plugins.common.images.folders import AnySplit
from restore.plugins.unet.data.dataset import TRAIN_DRAWINGS, VALIDATION_DRAWINGS, Drawings, Source, channels_of
from restore.plugins.unet.data.splits import read_source, sources
from restore.plugins.unet.settings import DataSettings, ModelSettings, SegmentationSettings


@dataclass(frozen=True)
class MaskedImages:
    """A source as a dataset of the role ``segmentation``: tuples of image and masks, both uint8."""

    source: Source
    classes: tuple[str, ...]
    multiclass: bool = False

    def __len__(self) -> int:
        return len(self.source.names)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.source.read(index)

    def name(self, index: int) -> str:
        """Return the name of an image."""
        return self.source.names[index]


def build_segments(split: AnySplit, folder: Path | None, val_fraction: float, seed: int) -> MaskedImages:
    """Return the dataset ``unet/segments``; the contract of its role explains the arguments.

    Images and masks lie in ``folder`` in any of the layouts that ``discovery.find`` knows; without a folder, they are
    synthetic nuclei.
    """
    if folder is None:
        numbers = (
            range(TRAIN_DRAWINGS) if split == "train" else range(TRAIN_DRAWINGS, TRAIN_DRAWINGS + VALIDATION_DRAWINGS)
        )
        return MaskedImages(Drawings(numbers, ModelSettings()), ("nucleus",))
    share = {"val_fraction": val_fraction} if val_fraction else {}
    settings = SegmentationSettings.model_validate({"data": folder, "seed": seed, **share}).resolved()
    whole = split == "evaluation" or not val_fraction
    source = read_source(folder, settings.model) if whole else sources(settings)[split]
    return MaskedImages(source, tuple(settings.model.classes or ()), settings.model.multiclass)


@dataclass(frozen=True)
class NamedSource:
    """A dataset of the role ``segmentation`` as a source of images and masks."""

    dataset: Any
    model: ModelSettings

    @property
    def names(self) -> Sequence[str]:
        """Names of the images; without names their numbers."""
        name = getattr(self.dataset, "name", str)
        return [str(name(index)) for index in range(len(self.dataset))]

    def read(self, index: int) -> tuple[Tensor, Tensor]:
        """Return image (C, H, W) uint8 and masks."""
        image, masks = self.dataset[index]
        return to_uint8(channels_of(ImageFile(image.float() / 255), self.model.input_channels)), masks


def build_source(chosen: DataSettings, given: Mapping[str, Any], model: ModelSettings) -> NamedSource:
    """Return the dataset that settings name as a source.

    Raises UsageError if its classes are not those of the model, and what `build_dataset` raises.
    """
    dataset = build_dataset(chosen, given)
    if tuple(dataset.classes) != tuple(model.classes or ()):
        raise UsageError(
            f"{chosen.full_name} has the classes {', '.join(dataset.classes)}, not {', '.join(model.classes or ())}"
        )
    return NamedSource(dataset, model)
