"""What ``predict``, ``evaluate`` and the commands of this family can be asked. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from restore.core.settings import Flag, Settings
from restore.plugins.unet.settings import Share

Kind = Literal["mask", "probability", "overlay"]
KINDS: tuple[Kind, ...] = ("mask", "probability", "overlay")


class NetworkOptions(Settings):
    """What can be asked of trained weights."""

    tta: Literal["none", "flips", "all"] = "none"
    """Test-time augmentation: average over mirrored images, or over all eight turned and mirrored ones."""
    ensemble: list[Path] = Field(default_factory=list)
    """Further weights or runs whose probabilities are averaged with these."""
    level: Annotated[int, Field(ge=1)] | None = None
    """Use a deeply supervised UNet++ only to this depth (L1 to L4): faster, slightly worse."""


class OutputOptions(Settings):
    """What of a prediction is kept."""

    outputs: list[Kind] = Field(default_factory=lambda: list(KINDS))
    """What is written: the mask (0 and 255, or class numbers), probability maps, the image with colored regions."""


class SegmentationPredictOptions(OutputOptions, NetworkOptions):
    """Options of predicting masks."""

    threshold: Share = 0.5
    """Probability above which a pixel belongs to a class."""
    inference_size: Literal["auto", "native", "training"] = "auto"
    """Size at which the network sees images: their own, or the training size; auto: as the network was trained."""


class SubsetOptions(Settings):
    """What of a folder is measured, and at which threshold."""

    threshold: Share = 0.5
    """Probability above which a pixel belongs to a class."""
    subset: Literal["all", "train", "validation"] = "all"
    """Which part of the folder to measure on, as a run with this --seed, --val-fraction and --split divides it."""
    seed: Annotated[int, Field(ge=0)] = 0
    """subset: the run's seed."""
    val_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """subset: the run's share of validation images."""
    split: Literal["stratified", "random"] = "stratified"
    """subset: the run's way of dividing."""
    list_file: Annotated[Path | None, Flag("--list")] = None
    """Text file with the names of the images to measure on, one a line."""
    image_ext: str | None = None
    """Take only images with this ending."""
    mask_ext: str | None = None
    """Take only masks with this ending."""


class SegmentationEvaluateOptions(SubsetOptions, NetworkOptions):
    """Options of measuring masks."""

    sweep: bool = False
    """Measure the IoU at 19 thresholds from 0.05 to 0.95 and name the best."""


class CasesSettings(SubsetOptions, NetworkOptions):
    """Make a page that shows where the network does worst and best."""

    data: Path | None = None
    """Folder of images and masks; unset: the validation images of the sample."""
    output: Path = Path("cases.html")
    """The page: one file with the images inside."""
    overwrite: bool = False
    """Replace the file if it is there already."""
    count: Annotated[int, Field(ge=1)] = 8
    """How many of the worst, and how many of the best."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""


class LevelsSettings(SubsetOptions):
    """Measure what each pruned level of a UNet++ costs and gives."""

    data: Path | None = None
    """Folder of images and masks; unset: the validation images of the sample."""
    repeats: Annotated[int, Field(ge=1)] = 10
    """How often the time of a level is taken; the median counts."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""
