"""Settings of the segmentation tasks. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from restore.core.optimizer_settings import OptimizerSettings, ScheduleSettings
from restore.core.settings import Flag, MayMove, RegisteredName, ResumeSafe, RunSettings, Settings
from restore.plugins.common.images.statistics import IMAGENET_MEAN, IMAGENET_STD
from restore.plugins.common.loss_settings import OneOrSeveral, SegmentationLossSettings
from restore.plugins.common.masks.encoding import Encoding
from restore.plugins.common.masks.survey import IGNORED, survey
from restore.plugins.common.registered import RegisteredSettings
from restore.plugins.unet.data import discovery

NESTED = "unet/nested-unet"
"""The architecture UNet++."""

SAMPLE_CHANNELS = 24
"""Channels of the first level of a UNet++ on the sample: 50 steps of it learn more than 40 of 32 channels."""

Share = Annotated[float, Field(ge=0, le=1)]
Side = Annotated[int, Field(ge=1)]


class ModelSettings(RegisteredSettings):
    """The network: everything needed to rebuild it and to prepare its inputs."""

    architecture: Annotated[str, RegisteredName("architectures", roles=("segmentation",)), Flag("--arch")] = "unet/unet"
    """Architecture of the network."""
    input_channels: Annotated[int, Field(ge=1), Flag("--input-channels")] = 3
    """Channels of an image: 1 (gray), 3 (RGB) or 4 (RGBA)."""
    classes: Annotated[list[str] | None, Flag("--classes")] = None
    """Names of the classes; unset: the folders under masks/, or the class numbers found in index masks."""
    multiclass: bool = False
    """Whether every pixel has exactly one class (index masks) instead of any number of classes."""
    mask_levels: list[int] | None = None
    """Gray value of each class in mask files, the background first; unset: the value is the class number."""
    size: Annotated[tuple[Side, Side] | None, Flag("--size")] = (96, 96)
    """Height and width of the training images in pixels; unset: the images' own size, the same for all."""
    fit: Annotated[Literal["auto", "resize", "crop"], Flag("--fit")] = "auto"
    """How images get the training size: resize, or crop (random in training, center in validation); auto: crop if all
    images already have that size, else resize. A network trained on resized images also predicts on resized images."""
    mean: list[float] | None = None
    """Mean per channel, of values in [0, 1]; unset: ImageNet's for RGB, else 0.5."""
    std: list[Annotated[float, Field(gt=0)]] | None = None
    """Standard deviation per channel; unset: ImageNet's for RGB, else 0.25."""

    @model_validator(mode="after")
    def _one_number_a_channel(self) -> Self:
        for name, values in (("mean", self.mean), ("std", self.std)):
            if values is not None and len(values) != self.input_channels:
                raise ValueError(f"{name} has {len(values)} number(s) for {self.input_channels} input channel(s)")
        if self.multiclass and self.classes is not None and len(self.classes) < 2:
            raise ValueError("classes: multiclass needs at least two classes; name the background too")
        if self.classes is not None and len(set(self.classes)) < len(self.classes):
            raise ValueError("classes: a name is given twice")
        if any(name in ("", "overlay") or "/" in name for name in self.classes or []):
            raise ValueError(
                "classes: '', 'overlay' and names with / are not allowed, because they become part of file names"
            )
        return self

    @property
    def normalization(self) -> tuple[list[float], list[float]]:
        """Mean and standard deviation per channel."""
        color = self.input_channels == 3
        mean = list(IMAGENET_MEAN) if color else [0.5] * self.input_channels
        std = list(IMAGENET_STD) if color else [0.25] * self.input_channels
        return self.mean or mean, self.std or std

    @property
    def given(self) -> dict[str, Any]:
        """The arguments that the contract of the role promises to the network."""
        return {"num_classes": len(self.classes or ["foreground"]), "input_channels": self.input_channels}


class NestedUNetModel(ModelSettings):
    """A UNet++."""

    architecture: str = "unet/nested-unet"


class DeepLabModel(ModelSettings):
    """A DeepLabV3 or V3+."""

    architecture: str = "unet/deeplab-v3-plus"


SAMPLE = "unet/segments"
"""The dataset that is the sample when there is no ``--data``."""


class DataSettings(RegisteredSettings):
    """The data: images with masks."""

    name: Annotated[str, RegisteredName("datasets", roles=("segmentation",)), Flag("--dataset")] = SAMPLE
    """Dataset of images and their masks."""


class AugmentationSettings(Settings):
    """Augmentation of training images and their masks."""

    turns: bool = True
    """Rotate by multiples of 90 degrees (180 degrees if images are not square)."""
    flips: bool = True
    """Flip horizontally and vertically at random."""
    color: Share = 1.0
    """Probability of one color change: hue, saturation and value; or brightness; or contrast."""
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.11
    """Largest change of the hue, as a fraction of the color circle."""
    strength: Share = 0.2
    """Largest relative change of saturation, value, brightness and contrast."""
    elastic: Share = 0.0
    """Probability of an elastic deformation."""
    elastic_strength: Annotated[float, Field(ge=0)] = 30.0
    """Strength of the elastic deformation (alpha in torchvision)."""


class SegmentationSettings(RunSettings):
    """Settings shared by all segmentation tasks."""

    sample_steps: ClassVar[int | None] = 40  # with five epochs UNet++ is far better than any threshold

    sample_dataset: ClassVar[str | None] = SAMPLE

    model: ModelSettings = Field(default_factory=ModelSettings)
    """The network."""
    dataset: DataSettings = Field(default_factory=DataSettings)
    """The data."""
    epochs: Annotated[int, Field(ge=1), ResumeSafe()] = 40
    """Number of epochs."""
    batch_size: Annotated[int, Field(ge=1)] = 8
    """Samples per optimizer step, summed over all processes and micro-batches."""
    val_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Fraction of the data held out for validation, without --val-data, --train-list and --val-list."""
    mask_encoding: Literal["auto", "binary", "index", "levels"] = "auto"
    """Encoding of mask files. binary: white is the class; index: the value is the class number, 255 is unknown; levels:
    each gray value is a class; auto: decided by the values of all masks, and refused if there are two readings."""
    mask_white: Annotated[int, Field(ge=1, le=65535)] | None = None
    """binary: value of the class; what is above its half counts. Unset: found in the masks, 1, 255 or 65535."""
    image_ext: str | None = None
    """Use only images with this extension, such as .png."""
    mask_ext: str | None = None
    """Use only masks with this extension."""
    split: Literal["stratified", "random"] = "stratified"
    """How validation images are chosen: stratified by the fraction of foreground, or at random."""
    train_list: Annotated[Path | None, MayMove()] = None
    """Text file with the names of the training images, one per line; unset: all images that are not used for
    validation."""
    val_list: Annotated[Path | None, MayMove()] = None
    """Text file with the names of the validation images, one per line; unset: chosen by --split, or all images that
    --train-list does not name."""
    loss: Annotated[tuple[SegmentationLossSettings, ...], OneOrSeveral] = Field(
        default_factory=lambda: (SegmentationLossSettings(name="unet/bce-dice"),)
    )
    """Loss, by its registered name, with a weight and its own settings if need be: unet/focal,weight=0.5,focus=3."""
    augment: AugmentationSettings = AugmentationSettings()
    """Augmentation of training images."""
    optimizer: OptimizerSettings = OptimizerSettings(
        name="adamw", lr=2e-3, weight_decay=1e-2, clip_norm=5.0, schedule=ScheduleSettings(name="one-cycle", warmup=0.2)
    )
    """The optimizer."""

    @override
    def resolved(self) -> Self:
        """Return a copy with classes, mask encoding, fit and loss filled in from the data."""
        if self.dataset.full_name != SAMPLE:
            return self._resolve_for_dataset()
        if self.data is None:
            found: dict[str, Any] = {"classes": self.model.classes or ["nucleus"], "multiclass": False}
            found["fit"] = "crop" if self.model.fit == "auto" else self.model.fit
            model = self.model.model_copy(update=found)
            return super().resolved().model_copy(update={"model": model, "mask_encoding": "binary"})
        layout = discovery.find(self.data, image_ext=self.image_ext, mask_ext=self.mask_ext)
        encoding = layout.encoding(self.mask_encoding)
        index = encoding.kind != "binary"
        names = self.model.classes
        if names is None:
            names = _number_classes(layout, encoding) if index else list(layout.classes)
        fit = self.model.fit
        if fit == "auto":
            fit = "crop" if discovery.all_of_size(layout, self.model.size) else "resize"
        resolved = self._set_classes(names, index, fit)
        model = resolved.model.model_copy(update={"mask_levels": list(encoding.levels) or None})
        white = self.mask_white if index else self.mask_white or encoding.white
        return resolved.model_copy(update={"model": model, "mask_encoding": encoding.kind, "mask_white": white})

    @property
    @override
    def recipe(self) -> str | None:
        """Say what the values of mask files mean."""
        if self.data is None or self.mask_encoding == "auto" or self.dataset.full_name != SAMPLE:
            return None
        return str(Encoding(self.mask_encoding, self.mask_white or 255, tuple(self.model.mask_levels or ())))

    def _resolve_for_dataset(self) -> Self:
        """Return a copy with what a dataset of another name says about its masks."""
        from restore.plugins.common.datasets import build_dataset
        from restore.plugins.common.images.folders import split_arguments

        dataset = build_dataset(self.dataset, split_arguments(self, "train"))
        fit = "resize" if self.model.fit == "auto" else self.model.fit
        return self._set_classes(list(dataset.classes), bool(getattr(dataset, "multiclass", False)), fit)

    def _set_classes(self, names: list[str], index: bool, fit: str) -> Self:
        model = self.model.model_copy(update={"classes": names, "multiclass": index, "fit": fit})
        type(model).model_validate(model.model_dump())  # copying does not validate
        loss = self.loss
        if index and "loss" not in self.model_fields_set:
            loss = (SegmentationLossSettings(name="unet/cross-entropy-dice"),)
        found = {"model": model, "mask_encoding": "index" if index else "binary", "loss": loss}
        return super().resolved().model_copy(update=found)


def _number_classes(layout: discovery.Layout, encoding: Encoding) -> list[str]:
    """Return names for classes that have only numbers or gray values."""
    if encoding.levels:
        return list(map(str, encoding.levels))
    values = survey(layout.masks).values
    return list(map(str, range(1 + max([1, *(value for value in values if value < IGNORED)]))))


class UNetSettings(SegmentationSettings):
    """Train a U-Net."""


class NestedUNetSettings(SegmentationSettings):
    """Train a UNet++."""

    sample_steps: ClassVar[int | None] = 50  # of a narrower network

    model: NestedUNetModel = Field(default_factory=NestedUNetModel)
    """The network."""

    @classmethod
    @override
    def sample_defaults(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a narrower UNet++, which learns the sample in fewer minutes, unless another network was chosen."""
        wanted = NestedUNetModel.full_name_in({"architecture": NESTED, **(given.get("model") or {})})
        return {"model": {"channels": SAMPLE_CHANNELS}} if wanted == NESTED else {}

    @property
    @override
    def recipe(self) -> str | None:
        """Describe the sample's network, and how to get the published one."""
        if (
            not self.on_sample
            or self.model.architecture != NESTED
            or self.model.own_values()["channels"] != SAMPLE_CHANNELS
        ):
            return super().recipe
        return f"sample: a UNet++ of {SAMPLE_CHANNELS} channels; for the published network: --channels 32"


class DeepLabSettings(SegmentationSettings):
    """Train a DeepLabV3 or V3+."""

    model: DeepLabModel = Field(default_factory=DeepLabModel)
    """The network."""
    pretrained: bool = False
    """Start from torchvision's ImageNet weights of the backbone (downloaded once)."""

    @model_validator(mode="after")
    def _a_backbone_is_pretrained(self) -> Self:
        if self.pretrained and "backbone" not in self.model.own_settings:
            raise ValueError(f"pretrained: {self.model.architecture} has no backbone of torchvision; leave it out")
        return self
