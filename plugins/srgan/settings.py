"""Settings of SRGAN. Imports no torch."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator
from typing_extensions import override

from restore.core.errors import UsageError
from restore.core.optimizer_settings import OptimizerSettings, ScheduleSettings
from restore.core.settings import Flag, RegisteredName, ResumeSafe, Settings
from restore.plugins.common.adversarial.schedule import TwoPhaseSettings
from restore.plugins.common.degradation.settings import DegradationSettings
from restore.plugins.common.loss_settings import ImageLossSettings, OneOrSeveral
from restore.plugins.common.perceptual.settings import PerceptualSettings, check_side
from restore.plugins.common.registered import RegisteredSettings
from restore.plugins.common.super_resolution.settings import SAMPLE, SuperResolutionData
from restore.plugins.srgan.sample_recipe import ARCHITECTURE, SAMPLE_RECIPE

Scale = Literal[2, 3, 4, 8]

PUBLISHED = ("srgan/msrresnet", "srgan/srresnet", "srgan/rrdbnet")
"""Generators to which the sample's recipe does not apply."""

_log = logging.getLogger(__name__)


class ModelSettings(RegisteredSettings):
    """The generator: everything needed to rebuild it."""

    architecture: Annotated[str, RegisteredName("architectures", roles=("super-resolution",)), Flag("--arch")] = (
        "srgan/msrresnet"
    )
    """Architecture of the generator. Default without --data, --model.channels and --model.blocks: srgan/compact."""
    scale: Annotated[Scale, Flag("--scale")] = 4
    """Scale factor of super-resolution."""


class OpponentSettings(RegisteredSettings):
    """The discriminator, which separates real images from upscaled ones; only training needs it."""

    architecture: Annotated[str, RegisteredName("architectures", roles=("discriminator",))] = "srgan/discriminator"
    """Architecture of the discriminator."""


class FeatureSettings(PerceptualSettings):
    """The perceptual loss."""

    weight: Annotated[float, Field(ge=0)] = 0.1
    """Weight of the loss, relative to a pixel loss of weight 1; 0 disables it."""


class PretrainSettings(Settings):
    """First phase: the generator is trained alone, with the pixel loss."""

    epochs: Annotated[int, Field(ge=1)] | None = None
    """Epochs of this phase; unset: --epochs minus those of the adversarial phase."""
    optimizer: OptimizerSettings = OptimizerSettings(
        lr=8e-4, betas=(0.9, 0.99), schedule=ScheduleSettings(name="one-cycle", warmup=0.2)
    )
    """Optimizer of the generator."""


class AdversarialSettings(Settings):
    """Second phase: generator against discriminator."""

    epochs: Annotated[Annotated[int, Field(ge=0)] | None, ResumeSafe()] = None
    """Epochs of this phase; unset: a fifth of --epochs, at least one, but zero with --epochs 1; 0: skip it."""
    kind: Literal["vanilla", "least-squares", "hinge"] = "vanilla"
    """Adversarial loss; vanilla is the original GAN loss."""
    weight: Annotated[float, Field(ge=0)] = 1e-2
    """Weight of the generator's adversarial loss."""
    real_label: Annotated[float, Field(gt=0, le=1)] = 1.0
    """vanilla, least-squares: label of real images; 0.9 (label smoothing) keeps the discriminator from becoming
    overconfident."""
    relativistic: Literal["no", "average", "paired"] = "no"
    """vanilla, hinge: score images relative to the mean score of the other kind (average, as ESRGAN) or to the image at
    the same place in the batch (paired)."""
    ramp: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Fraction of this phase in which the weight of the generator's adversarial loss rises from zero."""
    r1: Annotated[float, Field(ge=0)] = 0.0
    """Weight of R1, a penalty on the discriminator's gradient at real images; 0: off. It needs a discriminator without
    batch normalization, such as srgan/unet-discriminator."""
    r1_every: Annotated[int, Field(ge=1)] = 1
    """Steps between two computations of R1, which weighs as much more; 16 costs little."""
    pixel_weight: Annotated[float, Field(ge=0)] = 1.0
    """Weight of --loss, which alone keeps color and brightness in place in this phase."""
    generator: OptimizerSettings = OptimizerSettings(lr=1e-4)
    """Optimizer of the generator."""
    discriminator: OptimizerSettings = OptimizerSettings(lr=1e-4)
    """Optimizer of the discriminator."""

    @model_validator(mode="after")
    def _relative_scores_have_a_loss(self) -> Self:
        if self.relativistic != "no" and self.kind == "least-squares":
            raise ValueError("relativistic needs scores without fixed labels; set kind to vanilla or hinge")
        return self


class SRGANSettings(TwoPhaseSettings):
    """Train SRGAN in two phases: pretraining with the pixel loss, then adversarial training."""

    sample_steps: ClassVar[int | None] = 32  # of the published network, which is slow on a CPU

    sample_dataset: ClassVar[str | None] = SAMPLE

    model: ModelSettings = Field(default_factory=ModelSettings)
    """The generator."""
    dataset: SuperResolutionData = Field(default_factory=SuperResolutionData)
    """The data."""
    degradation: DegradationSettings = DegradationSettings()
    """How the inputs of training and validation are made of targets."""
    loss: Annotated[tuple[ImageLossSettings, ...], OneOrSeveral] = Field(
        default_factory=lambda: (ImageLossSettings(name="common/l1"),)
    )
    """Loss of pixels in both phases, by its registered name, with a weight and its own settings if need be:
    common/charbonnier,weight=0.5,epsilon=1e-3."""
    crop_size: Annotated[int, Field(ge=8)] = 96
    """Side of the training crops, in pixels of the output."""
    pretrain: PretrainSettings = PretrainSettings()
    """First phase."""
    adversarial: AdversarialSettings = AdversarialSettings()
    """Second phase."""
    perceptual: FeatureSettings = FeatureSettings()
    """Perceptual loss, in the second phase."""
    discriminator: OpponentSettings = Field(default_factory=OpponentSettings)
    """The discriminator of the second phase."""

    @model_validator(mode="after")
    def _crop_is_upscaled_exactly(self) -> Self:
        # Unless it was set, the scale may come from the data, which `resolved` reads.
        certain = self.data is None or "scale" in self.model.model_fields_set
        if certain and self.crop_size % self.model.scale:
            raise ValueError(f"crop_size ({self.crop_size}) is not a multiple of the scale ({self.model.scale})")
        return self

    @model_validator(mode="after")
    def _features_see_the_crop(self) -> Self:
        if self.looks_at_features:
            check_side(self.crop_size, "crop_size", self.perceptual)
        return self

    @model_validator(mode="after")
    def _compiled_discriminators_are_differentiated_once(self) -> Self:
        if self.compile and self.adversarial.r1:
            raise ValueError(
                f"adversarial.r1={self.adversarial.r1:g} differentiates the discriminator twice, and a compiled one "
                "cannot be; leave out compile or adversarial.r1"
            )
        return self

    @model_validator(mode="after")
    def _something_is_pretrained(self) -> Self:
        adversarial = self.adversarial.epochs
        if self.pretrain.epochs is None and adversarial == self.epochs:
            raise ValueError(
                f"adversarial.epochs={adversarial} uses all {self.epochs} epochs; lower it so that pretraining gets at "
                "least one"
            )
        return self

    @classmethod
    @override
    def sample_defaults(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the sample recipe (a small generator), without what contradicts settings that were set explicitly.

        The published generators, or the width or depth of one, bring the published recipe with them: rates and lengths
        for a small network do not suit a large one. A generator of another plugin is pretrained at the usual rates. Any
        setting of the perceptual loss turns it on.
        """
        model = given.get("model") or {}
        sized = not {"channels", "blocks"}.isdisjoint(model)
        generator = ModelSettings.full_name_in(model if sized else {"architecture": ARCHITECTURE, **model})
        if generator in PUBLISHED:
            return {}
        left_out = {"perceptual"} if given.get("perceptual") else set()
        if "architecture" in (given.get("discriminator") or {}):
            left_out |= {"discriminator"}
        if generator != ARCHITECTURE:
            left_out |= {"model", "pretrain"}
        return {name: value for name, value in SAMPLE_RECIPE.items() if name not in left_out}

    @property
    @override
    def recipe(self) -> str | None:
        """Describe the sample recipe, and how to get the published size."""
        if not self.on_sample or self.model.architecture != ARCHITECTURE:
            return None
        size = self.model.own_values()
        return (
            f"sample: a small generator ({ARCHITECTURE}, {size['channels']} channels, {size['blocks']} blocks); "
            "for the published size: --model.channels 64 --model.blocks 16"
        )

    @property
    def looks_at_features(self) -> bool:
        """Whether this run uses a loss on VGG features."""
        return self.perceptual.weight > 0 and self.split()[1] > 0

    # What follows imports torch, and only where it is needed: settings alone must load without it.

    @override
    def resolved(self) -> Self:
        """Return a copy with the scale of paired data, the epoch and phase lengths and the feature weights fixed.

        Raises UsageError for folders without images, and for paired data whose scale is not supported or does not
        divide the crop size.
        """
        from restore.plugins.common.super_resolution.dataset import split_pairs

        # Errors in the data come before the warning.
        if self.dataset.full_name == SAMPLE:
            split_pairs("train", self)
            split_pairs("validation", self)
        pretrain, _ = self.split()
        if self.epochs == pretrain == 1 and self.adversarial.epochs is None:
            _log.warning("--epochs 1 runs pretraining only; the adversarial phase needs at least --epochs 2.")
        scale = self._resolve_scale()
        if self.crop_size % scale:
            raise UsageError(
                f"--crop-size {self.crop_size} is not a multiple of the scale ({scale}); change one of the two"
            )
        model = self.model.model_copy(update={"scale": scale})
        features = self._resolve_features()
        loss = tuple(term.resolved() for term in self.loss)
        return super().resolved().model_copy(update={"model": model, "perceptual": features, "loss": loss})

    def _resolve_scale(self) -> int:
        """Return the scale that was set, or else the scale of paired data."""
        if self.data is None or "scale" in self.model.model_fields_set or self.dataset.full_name != SAMPLE:
            return self.model.scale
        from restore.plugins.common.images.pairing import pair_folders
        from restore.plugins.common.super_resolution.dataset import evaluation_pairs

        if pair_folders(self.data) is None:
            return self.model.scale
        scale = evaluation_pairs(self.data, None).scale
        if scale not in get_args(Scale):
            raise UsageError(f"{self.data}: the pairs have scale {scale:g}; srgan supports 2, 3, 4 and 8")
        return int(scale)

    def _resolve_features(self) -> FeatureSettings:
        if not self.perceptual.weight:
            return self.perceptual
        from restore.plugins.common.perceptual.weights import resolve_features

        return resolve_features(self.perceptual, needed=self.looks_at_features)
