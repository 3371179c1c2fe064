"""Settings of inpaint-gan. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator
from typing_extensions import override

from restore.core.optimizer_settings import OptimizerSettings, ScheduleSettings
from restore.core.settings import Flag, RegisteredName, ResumeSafe, Settings
from restore.plugins.common.adversarial.schedule import TwoPhaseSettings
from restore.plugins.common.images.augment_settings import CropAugmentation
from restore.plugins.common.loss_settings import InpaintingLossSettings, OneOrSeveral
from restore.plugins.common.masks.settings import SAMPLE, InpaintingData, MaskSettings
from restore.plugins.common.perceptual.settings import PerceptualSettings, StyleSettings, check_layers, check_side
from restore.plugins.common.registered import RegisteredSettings
from restore.plugins.inpaint_gan.sample_recipe import SAMPLE_MODEL, SAMPLE_RECIPE

Weight = Annotated[float, Field(ge=0)]


class ModelSettings(RegisteredSettings):
    """The generator: everything needed to rebuild it."""

    architecture: Annotated[str, RegisteredName("architectures", roles=("inpainting",)), Flag("--arch")] = (
        "inpaint_gan/unet-generator"
    )
    """Architecture of the generator."""
    window: Annotated[int, Field(ge=16)] | None = None
    """Largest side in pixels that the network processes at once; unset: the crop size."""


class DiscriminatorSettings(RegisteredSettings):
    """The discriminator, which separates real images from inpainted ones; only training needs it."""

    architecture: Annotated[
        str, RegisteredName("architectures", roles=("inpainting-discriminator", "discriminator"))
    ] = "inpaint_gan/patch-discriminator"
    """Architecture of the discriminator."""


class FeatureSettings(PerceptualSettings):
    """Loss between VGG features of the inpainted image and the target."""

    weight: Weight = 0.0
    """Weight of the loss; 0 disables it, try 0.05."""
    network: Literal["vgg16", "vgg19"] = "vgg16"
    layers: dict[str, Annotated[float, Field(gt=0)]] = {"pool1": 1.0, "pool2": 1.0, "pool3": 1.0}  # noqa: RUF012
    criterion: Literal["l1", "mse"] = "l1"


class OptionalStyleSettings(StyleSettings):
    """Loss between Gram matrices of VGG features."""

    weight: Weight = 0.0
    """Weight of the loss; 0 disables it, try 120."""


class PretrainSettings(Settings):
    """First phase: the generator is trained alone, with the pixel loss."""

    epochs: Annotated[int, Field(ge=0)] | None = None
    """Epochs of this phase; unset: 70 % of --epochs, rounded; 0: train adversarially from the start."""
    optimizer: OptimizerSettings = OptimizerSettings(
        lr=1e-3, betas=(0.5, 0.999), schedule=ScheduleSettings(name="one-cycle", warmup=0.2)
    )
    """Optimizer of the generator."""


class AdversarialSettings(Settings):
    """Adversarial training of generator and discriminator."""

    kind: Literal["vanilla", "least-squares", "hinge", "wasserstein"] = "hinge"
    """Adversarial loss; vanilla is the original GAN loss."""
    weight: Weight = 0.05
    """Weight of the generator's adversarial loss."""
    real_label: Annotated[float, Field(gt=0, le=1)] = 1.0
    """vanilla, least-squares: label of real images; 0.9 (label smoothing) keeps the discriminator from becoming
    overconfident."""
    penalty: Weight = 10.0
    """wasserstein: weight of the gradient penalty."""
    generator_every: Annotated[int, Field(ge=1)] = 1
    """Update the generator every N steps; published for wasserstein: 5."""
    feature_matching: Weight = 0.0
    """Weight of the feature-matching loss (discriminator features of the inpainted image and the target); 0 disables
    it, try 10."""
    generator: OptimizerSettings = OptimizerSettings(lr=2e-4, betas=(0.5, 0.999))
    """Optimizer of the generator."""
    discriminator: OptimizerSettings = OptimizerSettings(lr=4e-4, betas=(0.5, 0.999))
    """Optimizer of the discriminator."""


class InpaintGANSettings(TwoPhaseSettings):
    """Train an inpainting GAN: pretraining with the pixel loss, then adversarial training.

    Without --data it trains on the photographs that ship with scikit-image, with random masks.
    """

    sample_dataset: ClassVar[str | None] = SAMPLE

    sample_steps: ClassVar[int | None] = 130

    model: ModelSettings = Field(default_factory=ModelSettings)
    """The generator."""
    discriminator: DiscriminatorSettings = Field(default_factory=DiscriminatorSettings)
    """The discriminator."""
    dataset: InpaintingData = Field(default_factory=InpaintingData)
    """The data."""
    masks: MaskSettings = MaskSettings()
    """The masks."""
    crop_size: Annotated[int, Field(ge=16)] = 128
    """Side of the training crops in pixels; published: 256."""
    augment: CropAugmentation = CropAugmentation()
    """Augmentation of training crops."""
    progressive: Annotated[list[Annotated[int, Field(ge=16)]], Flag("--progressive")] = []  # noqa: RUF012
    """Progressive training: crop sides in pixels for the earlier adversarial phases, in ascending order, such as 32,64.
    Crops are downscaled to each size in turn, so that the network learns coarse structure before detail."""
    progressive_epochs: list[Annotated[int, Field(ge=0)]] | None = None
    """Adversarial epochs at each of these sizes, such as 2,3; the remaining epochs go to the full size. Unset: the
    adversarial epochs are divided evenly."""
    pretrain: PretrainSettings = PretrainSettings()
    """First phase, with the pixel loss, at the smallest size."""
    adversarial: AdversarialSettings = AdversarialSettings()
    """The adversarial phase."""
    loss: Annotated[tuple[InpaintingLossSettings, ...], OneOrSeveral] = Field(
        default_factory=lambda: (InpaintingLossSettings(name="common/masked-l1"),)
    )
    """Loss of pixels in every phase, by its registered name, with a weight and its own settings if need be:
    common/masked-l1,hole=12,known=0.5."""
    coarse_weight: Weight = 1.2
    """Generators with several stages: weight of --loss at the earlier stages, relative to the last one."""
    perceptual: FeatureSettings = FeatureSettings()
    """Perceptual loss, in the adversarial phase."""
    style: OptionalStyleSettings = OptionalStyleSettings()
    """Style loss, in the adversarial phase."""
    batch_size: int = 8
    ema: Annotated[float, Field(gt=0, lt=1)] | None = 0.98
    epochs: Annotated[int, Field(ge=1), ResumeSafe()] = 10

    @classmethod
    @override
    def sample_defaults(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the sample recipe (a U-Net without normalization) unless another generator, start or norm was set."""
        model = given.get("model") or {}
        chosen = {**SAMPLE_MODEL, **model, "architecture": ModelSettings.full_name_in(model)}
        return SAMPLE_RECIPE if SAMPLE_MODEL.items() <= chosen.items() else {}

    @property
    @override
    def recipe(self) -> str | None:
        """Describe the sample recipe, and how to get the published one."""
        model = self.model.model_dump()
        if not self.on_sample or any(model.get(name) != wanted for name, wanted in SAMPLE_MODEL.items()):
            return None
        return (
            f"sample: thin masks, and a U-Net of {model['depth']} levels with {model['blocks']} residual blocks "
            "and without normalization; "
            "for the published one: --model.norm batch --model.start gray --model.channels 64 --model.depth 8"
        )

    @field_validator("progressive", "progressive_epochs", mode="before")
    @classmethod
    def _numbers_between_commas(cls, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [part for each in value for part in (each.split(",") if isinstance(each, str) else [each])]

    @model_validator(mode="after")
    def _sizes_rise(self) -> Self:
        sizes = [*self.progressive, self.crop_size]
        if sizes != sorted(set(sizes)):
            raise ValueError(
                f"progressive={self.progressive}: sizes must be ascending and below crop_size={self.crop_size}"
            )
        return self

    @model_validator(mode="after")
    def _each_size_has_epochs(self) -> Self:
        if self.progressive_epochs is None:
            return self
        sizes, given, adversarial = len(self.progressive), len(self.progressive_epochs), self.split()[1]
        if given != sizes:
            raise ValueError(
                f"progressive_epochs has {given} number(s) for {sizes} size(s) in progressive; give one for each size"
            )
        if sum(self.progressive_epochs) > adversarial:
            raise ValueError(
                f"progressive_epochs={self.progressive_epochs} is more than the {adversarial} epoch(s) of the "
                "adversarial phase; lower it, or raise --epochs"
            )
        return self

    @model_validator(mode="after")
    def _images_can_be_judged(self) -> Self:
        least = getattr(self.discriminator, "smallest", 1)
        if self.smallest < least:
            raise ValueError(
                f"{self.discriminator.architecture} needs images of at least {least} pixels a side, but the smallest "
                f"training size is {self.smallest}; raise it, or lower discriminator.layers or discriminator.scales"
            )
        return self

    @model_validator(mode="after")
    def _pretraining_teaches(self) -> Self:
        smooth = getattr(self.model, "changes_only_the_hole", False)
        teaches = any(term.weight and getattr(term, "hole", 1.0) for term in self.loss)
        if smooth and not teaches and self.split()[0]:
            raise ValueError(
                "loss: pretraining would have no effect, because a network with a smooth start only changes the hole, "
                "which no loss looks at; set hole above 0, or skip pretraining with pretrain.epochs=0"
            )
        return self

    @model_validator(mode="after")
    def _losses_fit_the_networks(self) -> Self:
        mixes = getattr(self.discriminator, "mixes_samples", False)
        if self.adversarial.kind == "wasserstein" and self.adversarial.penalty and mixes:
            raise ValueError(
                "discriminator.norm=batch does not work with a gradient penalty, because it mixes samples; "
                "use instance or none"
            )
        if self.style.weight:
            check_layers(self.perceptual.network, self.style.layers, "style.layers")
        if self.looks_at_features:
            name = "progressive" if self.progressive else "crop_size"
            check_side(self.smallest, name, self.perceptual, self.style)
        return self

    @override
    def split(self) -> tuple[int, int]:
        """Return the epochs of pretraining and of the adversarial phase."""
        pretrain = round(0.7 * self.epochs) if self.pretrain.epochs is None else self.pretrain.epochs
        return pretrain, self.epochs - pretrain

    def shares(self) -> list[int]:
        """Return the adversarial epochs at each progressive size and, last, at the crop size."""
        _, adversarial = self.split()
        if self.progressive_epochs is not None:
            return [*self.progressive_epochs, adversarial - sum(self.progressive_epochs)]
        ends = [adversarial * place // (len(self.progressive) + 1) for place in range(len(self.progressive) + 2)]
        return [after - before for before, after in pairwise(ends)]

    @property
    def smallest(self) -> int:
        """Smallest training size in pixels."""
        return min([*self.progressive, self.crop_size])

    @property
    def looks_at_features(self) -> bool:
        """Whether this run uses a loss on VGG features."""
        return bool(self.perceptual.weight or self.style.weight) and self.split()[1] > 0

    # What follows imports torch, and only where it is needed: settings alone must load without it.

    @override
    def resolved(self) -> Self:
        """Return a copy with the window, epoch length, feature weights and all phase lengths but the last one fixed.

        If a run is resumed with more ``epochs``, its earlier phases therefore keep their length. If the run uses
        features, raises UsageError or DataError for unusable data before the feature weights are downloaded.
        """
        changes: dict[str, object] = {"loss": tuple(term.resolved() for term in self.loss)}
        if self.progressive:
            changes["progressive_epochs"] = self.shares()[:-1]
        if self.model.window is None:
            changes["model"] = self.model.model_copy(update={"window": self.crop_size})
        if self.perceptual.weight or self.style.weight:
            from restore.plugins.common.inpainting.chosen import training_images
            from restore.plugins.common.perceptual.weights import resolve_features

            if self.looks_at_features:  # report bad data before downloading half a gigabyte
                training_images("train", self, self.dataset, self.masks, self.crop_size, self.augment)
                training_images("validation", self, self.dataset, self.masks, self.crop_size, self.augment)
            changes["perceptual"] = resolve_features(self.perceptual, needed=self.looks_at_features)
        return super().resolved().model_copy(update=changes)
