"""Options of ``predict``, ``evaluate`` and the commands of this family. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from restore.core.settings import Flag, Settings
from restore.plugins.unet.settings import DataSettings, Share

Kind = Literal["mask", "probability", "overlay"]
KINDS: tuple[Kind, ...] = ("mask", "probability", "overlay")


class ThresholdSettings(Settings):
    """The metric ``hausdorff95``."""

    threshold: Share = 0.5
    """Probability from which a pixel belongs to a class; for classes that exclude each other the most probable
    counts."""


class BoundarySettings(ThresholdSettings):
    """The metric ``boundary-iou``."""

    width: Annotated[float, Field(gt=0, le=1)] = 0.02
    """Width of the boundary as a fraction of the image's diagonal, at least one pixel."""


class OverlapSettings(ThresholdSettings):
    """The metric ``overlap``."""

    score: Literal["iou", "dice"] = "iou"
    """Intersection over union, or the Dice coefficient."""
    pooling: Literal["set", "image", "batch"] = "set"
    """Which pixels are counted together: those of the whole set, of one image, or of a batch of 16 images."""


class NetworkOptions(Settings):
    """Options of inference with trained weights."""

    tta: Literal["none", "flips", "all"] = "none"
    """Test-time augmentation: average over flipped images, or over all eight rotations and flips."""
    ensemble: list[Path] = Field(default_factory=list)
    """Further weights files or runs whose probabilities are averaged with these."""
    level: Annotated[int, Field(ge=1)] | None = None
    """Prune a UNet++ with deep supervision to this level (1 to 4): faster, slightly worse."""


class OutputOptions(Settings):
    """Output files of a prediction."""

    outputs: list[Kind] = Field(default_factory=lambda: list(KINDS))
    """Files to write: mask (0 and 255, or class numbers), probability map, overlay (the image with colored regions)."""


class SegmentationPredictOptions(OutputOptions, NetworkOptions):
    """Options of ``restore predict``."""

    threshold: Share = 0.5
    """Probability above which a pixel belongs to a class."""
    inference_size: Literal["auto", "native", "training"] = "auto"
    """Size of the network's input: the image's own (native) or the training size; auto: as in training."""


class SubsetOptions(Settings):
    """Which images of a folder to evaluate, and the threshold."""

    threshold: Share = 0.5
    """Probability above which a pixel belongs to a class."""
    subset: Literal["all", "train", "validation"] = "all"
    """Evaluate only this part of the folder, as split by a run with the same --seed, --val-fraction and --split."""
    seed: Annotated[int, Field(ge=0)] = 0
    """subset: the run's seed."""
    val_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """subset: the run's fraction of validation images."""
    split: Literal["stratified", "random"] = "stratified"
    """subset: the run's kind of split."""
    list_file: Annotated[Path | None, Flag("--list")] = None
    """Text file with the names of the images to evaluate, one per line."""
    image_ext: str | None = None
    """Use only images with this extension, such as .png."""
    mask_ext: str | None = None
    """Use only masks with this extension."""


class SegmentationEvaluateOptions(SubsetOptions, NetworkOptions):
    """Options of ``restore evaluate``."""

    dataset: DataSettings = Field(default_factory=DataSettings)
    """The data to measure on."""
    sweep: bool = False
    """Measure the IoU at 19 thresholds from 0.05 to 0.95 and report the best one."""


class CasesSettings(SubsetOptions, NetworkOptions):
    """Write an HTML page with the images that the network segments worst and best."""

    data: Path | None = None
    """Folder of images and masks; unset: the validation images of the sample."""
    output: Path = Path("cases.html")
    """File to write: one HTML file with the images embedded."""
    overwrite: bool = False
    """Replace an existing file."""
    count: Annotated[int, Field(ge=1)] = 8
    """Number of worst cases, and of best cases."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Device to compute on."""


class LevelsSettings(SubsetOptions):
    """Measure parameters, time and IoU of each pruned level of a UNet++."""

    data: Path | None = None
    """Folder of images and masks; unset: the validation images of the sample."""
    repeats: Annotated[int, Field(ge=1)] = 10
    """Number of timed calls per level; the median is reported."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Device to compute on."""
