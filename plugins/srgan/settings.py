"""Settings of SRGAN. Imports no torch."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, cast, get_args

from pydantic import Field, model_validator

from restore.core.errors import UsageError
from restore.core.settings import Flag, OptimizerSettings, ResumeSafe, ScheduleSettings, Settings
from restore.plugins.common.adversarial.schedule import TwoPhaseSettings
from restore.plugins.common.perceptual.settings import PerceptualSettings, check_side
from restore.plugins.srgan.sample_recipe import ARCHITECTURE, sample_recipe

Scale = Literal[2, 3, 4, 8]
PixelLoss = Literal["l1", "mse", "charbonnier"]

_log = logging.getLogger(__name__)


class ModelSettings(Settings):
    """The generator: all that is needed to build it again."""

    architecture: Annotated[Literal["msrresnet", "srresnet", "compact"], Flag("--arch")] = "msrresnet"
    """msrresnet: no batch normalization, adds detail to a bilinear upscaling; srresnet: as published; compact: works
    at the input's size throughout, for small machines. Without --data, --model.channels and --model.blocks: compact."""
    scale: Annotated[Scale, Flag("--scale")] = 4
    """How many times higher and wider the output is."""
    channels: Annotated[int, Field(ge=1)] = 64
    """Width: channels of the layers between the first and the last."""
    blocks: Annotated[int, Field(ge=1)] = 16
    """Depth: residual blocks."""
    clamp: bool = False
    """srresnet: limit the output to [0, 1] inside the network, as imported checkpoints may need it."""

    @model_validator(mode="after")
    def _only_srresnet_clamps(self) -> Self:
        if self.clamp and self.architecture != "srresnet":
            raise ValueError(f"clamp: only srresnet has this limit, not {self.architecture}")
        return self


class DiscriminatorSettings(Settings):
    """The network that tells photographs from upscaled images; only training needs it."""

    channels: Annotated[int, Field(ge=1)] = 64
    """Channels of its first layer; the last has eight times as many."""
    head: Literal["pooled", "dense"] = "pooled"
    """pooled: one answer from the mean over all places, whatever the crop's size; dense: fully connected to every place
    as published, which is 18 million parameters more for crops of 96 pixels."""
    hidden: Annotated[int, Field(ge=1)] = 1024
    """Width of the layer before the answer."""


class FeatureSettings(PerceptualSettings):
    """The perceptual loss, in proportion to a pixel loss of weight 1."""

    weight: Annotated[float, Field(ge=0)] = 0.1
    """Factor of the loss; 0 leaves it out."""


class PretrainSettings(Settings):
    """First phase: the generator alone comes close to the target, pixel by pixel."""

    epochs: Annotated[int, Field(ge=1)] | None = None
    """Epochs of this phase; unset: what the adversarial phase leaves of --epochs."""
    loss: PixelLoss = "l1"
    """How pixels are compared."""
    optimizer: OptimizerSettings = OptimizerSettings(
        lr=8e-4, betas=(0.9, 0.99), schedule=ScheduleSettings(name="one-cycle", warmup=0.2)
    )
    """Optimizer of the generator."""


class AdversarialSettings(Settings):
    """Second phase: generator against discriminator."""

    epochs: Annotated[Annotated[int, Field(ge=0)] | None, ResumeSafe()] = None
    """Epochs of this phase; unset: every fifth of --epochs, at least one, but none of --epochs 1; 0: no such phase."""
    kind: Literal["vanilla", "least-squares", "hinge"] = "vanilla"
    """Which adversarial loss."""
    weight: Annotated[float, Field(ge=0)] = 1e-2
    """Factor of the generator's adversarial loss."""
    real_label: Annotated[float, Field(gt=0, le=1)] = 1.0
    """vanilla, least-squares: label of photographs; 0.9 keeps the discriminator from being too sure."""
    pixel_loss: PixelLoss = "l1"
    """How pixels are compared."""
    pixel_weight: Annotated[float, Field(ge=0)] = 1.0
    """Factor of the pixel loss, the anchor of this phase: it alone holds colors and brightness in place."""
    generator: OptimizerSettings = OptimizerSettings(lr=1e-4)
    """Optimizer of the generator."""
    discriminator: OptimizerSettings = OptimizerSettings(lr=1e-4)
    """Optimizer of the discriminator."""


class SRGANSettings(TwoPhaseSettings):
    """Settings of a run in two phases: pretraining by pixels, then the adversarial phase."""

    sample_steps: ClassVar[int | None] = 32  # of the published network, which is slow on a CPU

    model: ModelSettings = ModelSettings()
    """The generator."""
    crop_size: Annotated[int, Field(ge=8)] = 96
    """Height and width of the parts of large images that are trained on, in pixels of the output."""
    pretrain: PretrainSettings = PretrainSettings()
    """First phase."""
    adversarial: AdversarialSettings = AdversarialSettings()
    """Second phase."""
    perceptual: FeatureSettings = FeatureSettings()
    """Loss between features, in the second phase."""
    discriminator: DiscriminatorSettings = DiscriminatorSettings()
    """The generator's opponent in the second phase."""

    @model_validator(mode="after")
    def _crop_is_upscaled_exactly(self) -> Self:
        # Unless it was asked for, the scale may be that of the data, which `resolved` reads.
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
    def _something_is_pretrained(self) -> Self:
        adversarial = self.adversarial.epochs
        if self.pretrain.epochs is None and adversarial == self.epochs:
            raise ValueError(
                f"adversarial.epochs ({adversarial}) leaves none of epochs ({self.epochs}) for pretraining"
            )
        return self

    @classmethod
    def sample_defaults(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """A small generator with what suits it, unless another generator is asked for."""
        return sample_recipe(given)

    @property
    def recipe(self) -> str | None:
        """What the sample's recipe is, and how to get the published one."""
        if self.data is not None or self.model.architecture != ARCHITECTURE:
            return None
        return (
            f"sample: a small generator ({ARCHITECTURE}, {self.model.channels} channels, {self.model.blocks} blocks); "
            "--model.channels 64 --model.blocks 16 is the published size"
        )

    @property
    def looks_at_features(self) -> bool:
        """Whether the run comes to a loss between features."""
        return self.perceptual.weight > 0 and self.split()[1] > 0

    # What follows imports torch, and only where it is needed: settings alone must load without it.

    def resolved(self) -> Self:
        """A copy with the scale of paired data, the lengths of epochs and phases and the perceptual features fixed.

        Raises UsageError for folders without images, and for paired data of a scale that there is no generator for
        or that does not divide the crop.
        """
        from restore.plugins.common.super_resolution.dataset import split_pairs

        # A mistake that ends the run is told before anything that only has to be known of it.
        split_pairs("train", self)
        split_pairs("validation", self)
        pretrain, _ = self.split()
        if self.epochs == pretrain == 1 and self.adversarial.epochs is None:
            _log.warning("One epoch is pretraining only; from --epochs 2 on there is an adversarial phase too.")
        scale = self._resolved_scale()
        if self.crop_size % scale:
            raise UsageError(f"--crop-size {self.crop_size} is not a multiple of the scale, which is {scale}")
        model = self.model.model_copy(update={"scale": scale})
        features = self._resolved_features()
        return super().resolved().model_copy(update={"model": model, "perceptual": features})

    def _resolved_scale(self) -> int:
        """The scale that was asked for; unless one was, that of paired data."""
        if self.data is None or "scale" in self.model.model_fields_set:
            return self.model.scale
        from restore.plugins.common.images.folders import pair_folders
        from restore.plugins.common.super_resolution.dataset import evaluation_pairs

        if pair_folders(self.data) is None:
            return self.model.scale
        scale = evaluation_pairs(self.data, None).scale
        if scale not in get_args(Scale):
            raise UsageError(f"{self.data}: the pairs are of scale {scale:g}; srgan upscales 2, 3, 4 or 8 times")
        return int(scale)

    def _resolved_features(self) -> FeatureSettings:
        if not self.perceptual.weight:
            return self.perceptual
        from restore.plugins.common.perceptual.weights import resolve_features

        return cast(FeatureSettings, resolve_features(self.perceptual, needed=self.looks_at_features))
