"""Settings of LBAM. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from restore.core.optimizer_settings import OptimizerSettings, ScheduleSettings
from restore.core.settings import Flag, RegisteredName, ResumeSafe, Settings
from restore.plugins.common.adversarial.schedule import TwoPhaseSettings
from restore.plugins.common.images.augment_settings import CropAugmentation
from restore.plugins.common.loss_settings import InpaintingLossSettings, OneOrSeveral
from restore.plugins.common.masks.settings import SAMPLE, InpaintingData, MaskSettings
from restore.plugins.common.perceptual.settings import (
    Network,
    PerceptualSettings,
    StyleSettings,
    check_layers,
    check_side,
)
from restore.plugins.common.registered import RegisteredSettings
from restore.plugins.lbam.sample_recipe import ARCHITECTURE, SAMPLE_RECIPE

SMALLEST_WINDOW = 16
"""Smallest window side in pixels."""

PUBLISHED_CROP = 256
"""Image side in pixels that the published discriminator needs."""


class ModelSettings(RegisteredSettings):
    """The generator: everything needed to rebuild it."""

    architecture: Annotated[str, RegisteredName("architectures", roles=("inpainting",)), Flag("--arch")] = (
        "lbam/generator"
    )
    """Architecture of the generator."""
    window: Annotated[int, Field(ge=SMALLEST_WINDOW)] | None = None
    """Largest side in pixels that the network processes at once; unset: the crop size."""


class DiscriminatorSettings(RegisteredSettings):
    """The discriminator; only training needs it."""

    architecture: Annotated[str, RegisteredName("architectures", roles=("inpainting-discriminator",))] = (
        "lbam/discriminator"
    )
    """Architecture of the discriminator."""


class AugmentSettings(CropAugmentation):
    """Augmentation of training crops."""

    recolor: bool = True
    """Permute and dim the color channels at random, because few photographs contain few colors."""


class FeatureSettings(PerceptualSettings):
    """The perceptual loss, and the VGG input that it shares with the style loss."""

    weight: Annotated[float, Field(ge=0)] = 0.01
    """Weight of the loss, computed on the generator's output and on the composite image; 0 disables it."""
    network: Network = "vgg16"
    layers: dict[str, Annotated[float, Field(gt=0)]] = {"pool1": 1.0, "pool2": 1.0, "pool3": 1.0}  # noqa: RUF012
    criterion: Literal["l1", "mse"] = "l1"
    normalize: bool = False
    """Normalize VGG inputs with ImageNet's mean and standard deviation. The published code does not, and its loss
    weights are tuned for that."""
    window: Annotated[int, Field(ge=8)] | None = 48
    """Side in pixels of the random squares on which VGG features are computed, because they dominate the cost on a CPU.
    Unset, or larger than the crops: whole crops."""


class PretrainSettings(Settings):
    """First phase: the generator is trained alone, with the pixel loss."""

    epochs: Annotated[int, Field(ge=0)] | None = None
    """Epochs of this phase; unset: --epochs minus those of the second phase; 0: skip it, as published."""
    optimizer: OptimizerSettings = OptimizerSettings(
        lr=2e-3, betas=(0.5, 0.9), schedule=ScheduleSettings(name="one-cycle", warmup=0.2)
    )
    """Optimizer of the generator."""


class AdversarialSettings(Settings):
    """Second phase: the generator against a Wasserstein critic, with all losses."""

    epochs: Annotated[Annotated[int, Field(ge=0)] | None, ResumeSafe()] = None
    """Epochs of this phase; unset: a fifth of --epochs, at least one, but zero with --epochs 1; 0: skip it."""
    weight: Annotated[float, Field(ge=0)] = 0.1
    """Weight of the generator's adversarial loss."""
    penalty: Annotated[float, Field(ge=0)] = 10.0
    """Weight of the gradient penalty."""
    generator: OptimizerSettings = OptimizerSettings(lr=1e-4, betas=(0.5, 0.9))
    """Optimizer of the generator; as published."""
    discriminator: OptimizerSettings = OptimizerSettings(lr=5e-4, betas=(0.0, 0.9))
    """Optimizer of the discriminator. The published learning rate, 1e-5, is too slow for short runs."""


class LBAMSettings(TwoPhaseSettings):
    """Train LBAM: pretraining with the pixel loss, then all losses with the discriminator."""

    sample_dataset: ClassVar[str | None] = SAMPLE

    sample_steps: ClassVar[int | None] = 115  # ten epochs take minutes on two CPU cores

    batch_size: Annotated[int, Field(ge=1)] = 8
    model: ModelSettings = Field(default_factory=ModelSettings)
    """The generator."""
    discriminator: DiscriminatorSettings = Field(default_factory=DiscriminatorSettings)
    """The discriminator of the second phase."""
    crop_size: Annotated[int, Field(ge=8)] = 128
    """Side of the training crops in pixels; published: 256. Crops are padded to a multiple of 2^levels."""
    dataset: InpaintingData = Field(default_factory=InpaintingData)
    """The data."""
    masks: MaskSettings = MaskSettings()
    """The masks for training and validation."""
    augment: AugmentSettings = AugmentSettings()
    """Augmentation of training crops."""
    loss: Annotated[tuple[InpaintingLossSettings, ...], OneOrSeveral] = Field(
        default_factory=lambda: (InpaintingLossSettings(name="common/masked-l1"),)
    )
    """Loss of pixels in both phases, by its registered name, with a weight and its own settings if need be:
    common/masked-l1,hole=12,known=0.5."""
    perceptual: FeatureSettings = FeatureSettings()
    """Perceptual loss, in the second phase."""
    style: StyleSettings = StyleSettings(weight=120.0)
    """Style loss on the same features, in the second phase."""
    total_variation: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the total variation of the hole and its seam, in the second phase; 0 (as published) disables it."""
    pretrain: PretrainSettings = PretrainSettings()
    """First phase."""
    adversarial: AdversarialSettings = AdversarialSettings()
    """Second phase."""

    @classmethod
    @override
    def sample_defaults(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the sample recipe (a narrow generator with a smooth prefill) unless another one was set."""
        model = given.get("model") or {}
        fits = ModelSettings.full_name_in(model) == ARCHITECTURE and model.get("prefill", "smooth") == "smooth"
        return SAMPLE_RECIPE if fits else {}

    @property
    @override
    def recipe(self) -> str | None:
        """Describe the sample recipe, and how to get the published one."""
        own = self.model.own_values()
        if not self.on_sample or own.get("prefill") != "smooth":
            return None
        return (
            f"sample: thin masks, and a generator of {own['levels']} levels with {own['blocks']} residual "
            "blocks that adds to a smooth continuation; "
            "for the published one: --model.prefill none --model.channels 64"
        )

    @model_validator(mode="after")
    def _published_discriminator_has_one_size(self) -> Self:
        if getattr(self.discriminator, "published", False) and self.crop_size != PUBLISHED_CROP:
            raise ValueError(f"discriminator.published needs crop_size={PUBLISHED_CROP}, not {self.crop_size}")
        return self

    @model_validator(mode="after")
    def _features_exist_and_see_images(self) -> Self:
        if self.style.weight:
            check_layers(self.perceptual.network, self.style.layers, "style.layers")
        if self.looks_at_features:
            window = self.perceptual.window or self.crop_size
            name = "perceptual.window" if window < self.crop_size else "crop_size"
            check_side(min(window, self.crop_size), name, self.perceptual, self.style)
        return self

    @property
    def looks_at_features(self) -> bool:
        """Whether this run uses a loss on VGG features."""
        return self.split()[1] > 0 and (self.perceptual.weight > 0 or self.style.weight > 0)

    # What follows imports torch, and only where it is needed: settings alone must load without it.

    @override
    def resolved(self) -> Self:
        """Return a copy with the window, epoch length, phase lengths and feature weights fixed.

        If the run uses features, raises UsageError or DataError for unusable data before the feature weights are
        downloaded.
        """
        changes: dict[str, object] = {"perceptual": self._resolve_features()}
        changes["loss"] = tuple(term.resolved() for term in self.loss)
        if self.model.window is None:
            changes["model"] = self.model.model_copy(update={"window": max(self.crop_size, SMALLEST_WINDOW)})
        return super().resolved().model_copy(update=changes)

    def _resolve_features(self) -> FeatureSettings:
        if not (self.perceptual.weight or self.style.weight):
            return self.perceptual
        from restore.plugins.common.inpainting.chosen import training_images
        from restore.plugins.common.perceptual.weights import resolve_features

        if self.looks_at_features:  # report bad data before downloading half a gigabyte
            training_images("train", self, self.dataset, self.masks, self.crop_size, self.augment)
            training_images("validation", self, self.dataset, self.masks, self.crop_size, self.augment)
        return resolve_features(self.perceptual, needed=self.looks_at_features)
