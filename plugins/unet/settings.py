"""What training a segmentation network can be told. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from restore.core.settings import (
    Flag,
    OptimizerSettings,
    RegisteredName,
    ResumeSafe,
    RunSettings,
    ScheduleSettings,
    Settings,
)
from restore.plugins.unet.data import discovery

Share = Annotated[float, Field(ge=0, le=1)]
Side = Annotated[int, Field(ge=1)]

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class ModelSettings(Settings):
    """What rebuilds a network and feeds it as in training."""

    architecture: Annotated[str, RegisteredName("architectures", role="segmentation")] = "unet/unet"
    """Which architecture, by its registered name."""
    input_channels: Annotated[int, Field(ge=1), Flag("--input-channels")] = 3
    """Channels of an image: 1 (gray), 3 (color) or 4 (color and opacity)."""
    classes: Annotated[list[str] | None, Flag("--classes")] = None
    """Names of the classes; unset: the folders under masks/, or as many numbers as the index masks hold."""
    multiclass: bool = False
    """Whether every pixel has exactly one class (index masks), rather than any number of them."""
    size: Annotated[tuple[Side, Side] | None, Flag("--size")] = (96, 96)
    """Height and width of the images that the network is trained on; unset: as they are, all of one size."""
    fit: Annotated[Literal["auto", "resize", "crop"], Flag("--fit")] = "auto"
    """How an image gets that size: resize, or crop (a random part in training, the center one in validation); auto:
    crop where all images have that size already, else resize. Resized networks see images resized in use too."""
    mean: list[float] | None = None
    """Subtracted from each channel in [0, 1]; unset: the mean of ImageNet for color, else 0.5."""
    std: list[Annotated[float, Field(gt=0)]] | None = None
    """Each channel is divided by this; unset: ImageNet's for color, else 0.25."""

    @model_validator(mode="after")
    def _one_number_a_channel(self) -> Self:
        for name, values in (("mean", self.mean), ("std", self.std)):
            if values is not None and len(values) != self.input_channels:
                raise ValueError(f"{name}: {len(values)} numbers for {self.input_channels} channels")
        if self.multiclass and self.classes is not None and len(self.classes) < 2:
            raise ValueError("classes: one class alone cannot exclude others; name the background too")
        if self.classes is not None and len(set(self.classes)) < len(self.classes):
            raise ValueError("classes: a name stands twice")
        if any(name in ("", "overlay") or "/" in name for name in self.classes or []):
            raise ValueError(
                "classes: '', 'overlay' and a name with / cannot be the name of a file, as masks are written"
            )
        return self

    @property
    def normalization(self) -> tuple[list[float], list[float]]:
        """Mean and standard deviation of each channel."""
        color = self.input_channels == 3
        mean = list(IMAGENET_MEAN) if color else [0.5] * self.input_channels
        std = list(IMAGENET_STD) if color else [0.25] * self.input_channels
        return self.mean or mean, self.std or std

    def arguments(self) -> dict[str, Any]:
        """What the architecture is called with."""
        return {"num_classes": len(self.classes or ["foreground"]), "input_channels": self.input_channels}


class UNetModel(ModelSettings):
    """A U-Net."""

    channels: Annotated[int, Field(ge=1), Flag("--channels")] = 32
    """Channels of the finest level; each coarser one has twice as many."""
    depth: Annotated[int, Field(ge=1, le=8), Flag("--depth")] = 4
    """How often the image is halved."""

    def arguments(self) -> dict[str, Any]:
        """What the architecture is called with."""
        return {**super().arguments(), "channels": self.channels, "depth": self.depth}


class NestedUNetModel(UNetModel):
    """A UNet++."""

    architecture: str = "unet/nested-unet"
    """Which architecture, by its registered name."""
    deep_supervision: Annotated[bool, Flag("--deep-supervision")] = False
    """Train a head at every depth, so that the network can be pruned in use (--level)."""

    def arguments(self) -> dict[str, Any]:
        """What the architecture is called with."""
        return {**super().arguments(), "deep_supervision": self.deep_supervision}


class DeepLabModel(ModelSettings):
    """A DeepLabV3 or V3+."""

    architecture: Annotated[str, Flag("--arch")] = "unet/deeplab-v3-plus"
    """Which architecture, by its registered name: unet/deeplab-v3 or unet/deeplab-v3-plus."""
    backbone: Annotated[
        Literal["mobilenet_v3_large", "resnet18", "resnet34", "resnet50", "resnet101"], Flag("--backbone")
    ] = "mobilenet_v3_large"
    """torchvision's network that sees the image first."""
    channels: Annotated[int, Field(ge=1), Flag("--channels")] = 256
    """Channels of the pyramid and the head."""

    def arguments(self) -> dict[str, Any]:
        """What the architecture is called with."""
        return {**super().arguments(), "backbone": self.backbone, "channels": self.channels}


class AugmentationSettings(Settings):
    """How training images are varied; their masks go along."""

    turns: bool = True
    """Turn by a right angle (by half a turn where images are not square)."""
    flips: bool = True
    """Mirror, both ways."""
    color: Share = 1.0
    """Probability that one of three is done: hue, saturation and value; brightness; contrast."""
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.11
    """Largest change of the hue, as a share of the circle."""
    strength: Share = 0.2
    """Largest relative change of saturation, value, brightness and contrast."""
    elastic: Share = 0.0
    """Probability of an elastic deformation."""
    elastic_strength: Annotated[float, Field(ge=0)] = 30.0
    """How far pixels move in it, as torchvision's alpha."""


class SegmentationSettings(RunSettings):
    """Settings of any segmentation run."""

    sample_steps: ClassVar[int | None] = 40  # five epochs of UNet++ are enough to leave any threshold far behind

    model: ModelSettings = ModelSettings()
    """The network."""
    epochs: Annotated[int, Field(ge=1), ResumeSafe()] = 40
    """Epochs."""
    batch_size: Annotated[int, Field(ge=1)] = 8
    """Samples of one optimizer step, over all processes and micro-batches."""
    val_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of the data held out for validation where neither --val-data nor names are given."""
    mask_encoding: Literal["auto", "binary", "index"] = "auto"
    """What a mask holds: white where the class is (binary), or the number of each pixel's class (index; 255 is
    unknown)."""
    image_ext: str | None = None
    """Take only images with this ending, as .png."""
    mask_ext: str | None = None
    """Take only masks with this ending."""
    split: Literal["stratified", "random"] = "stratified"
    """How validation images are chosen: evenly over the shares of foreground, or blindly."""
    train_list: Path | None = None
    """Text file with the names of the images to train on, one a line; unset: all that validation leaves."""
    val_list: Path | None = None
    """Text file with the names of the images to validate on; unset: chosen by --split, or all that --train-list
    leaves."""
    loss: Annotated[str, RegisteredName("losses", role="segmentation")] = "unet/bce-dice"
    """Which loss, by its registered name."""
    augment: AugmentationSettings = AugmentationSettings()
    """How training images are varied."""
    optimizer: OptimizerSettings = OptimizerSettings(
        name="adamw", lr=2e-3, weight_decay=1e-2, clip_norm=5.0, schedule=ScheduleSettings(name="one-cycle", warmup=0.2)
    )
    """The optimizer."""

    def resolved(self) -> Self:
        """Classes, the meaning of the masks and the way of fitting, filled in from the data."""
        if self.data is None:
            found: dict[str, Any] = {"classes": self.model.classes or ["nucleus"], "multiclass": False}
            found["fit"] = "crop" if self.model.fit == "auto" else self.model.fit
            model = self.model.model_copy(update=found)
            return super().resolved().model_copy(update={"model": model, "mask_encoding": "binary"})
        layout = discovery.find(self.data, image_ext=self.image_ext, mask_ext=self.mask_ext)
        files = [case.masks[0][0] for case in layout.cases]
        index = layout.flat and (
            self.mask_encoding == "index" or (self.mask_encoding == "auto" and discovery.are_class_numbers(files))
        )
        names = self.model.classes
        if names is None:
            names = (
                [str(n) for n in range(1 + discovery.largest_class_number(files))] if index else list(layout.classes)
            )
        fit = self.model.fit
        if fit == "auto":
            fit = "crop" if discovery.all_of_size(layout, self.model.size) else "resize"
        model = self.model.model_copy(update={"classes": names, "multiclass": index, "fit": fit})
        type(model).model_validate(model.model_dump())  # copying does not validate
        loss = "unet/cross-entropy-dice" if index and "loss" not in self.model_fields_set else self.loss
        found = {"model": model, "mask_encoding": "index" if index else "binary", "loss": loss}
        return super().resolved().model_copy(update=found)


class UNetSettings(SegmentationSettings):
    """Train a U-Net."""

    model: UNetModel = UNetModel()
    """The network."""


class NestedUNetSettings(SegmentationSettings):
    """Train a UNet++."""

    model: NestedUNetModel = NestedUNetModel()
    """The network."""


class DeepLabSettings(SegmentationSettings):
    """Train a DeepLabV3 or V3+."""

    model: DeepLabModel = DeepLabModel()
    """The network."""
    pretrained: bool = False
    """Start from torchvision's ImageNet weights of the backbone, which are downloaded."""
