"""Settings of LBAM. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import BaseModel, Field, model_validator

from restore.core.settings import OptimizerSettings, ResumeSafe, ScheduleSettings, Settings
from restore.plugins.common.adversarial.schedule import TwoPhaseSettings
from restore.plugins.common.images.augment_settings import CropAugmentation
from restore.plugins.common.masks.settings import MaskSettings
from restore.plugins.common.perceptual.settings import (
    Network,
    PerceptualSettings,
    StyleSettings,
    check_layers,
    check_side,
)

Prefill = Literal["none", "smooth"]
"""What a generator is shown in the hole."""

SMALLEST_WINDOW = 16
"""Side in pixels of the smallest parts of images that holes are filled in."""

PUBLISHED_CROP = 256
"""Side of the images that the published discriminator judges."""


class ModelSettings(Settings):
    """The generator: all that is needed to build it again."""

    channels: Annotated[int, Field(ge=1)] = 24
    """Channels of the first level; the deepest four have eight times as many. 64 is the published network, which has 68
    million parameters."""
    prefill: Prefill = "none"
    """What it is shown in the hole: none, as published: nothing, so that it draws everything; smooth: a smooth
    continuation of what is around it, to which it adds what is missing. Without --data: smooth."""
    window: Annotated[int, Field(ge=SMALLEST_WINDOW)] | None = None
    """Largest side in pixels at which it is used at once; unset: that of the crops it is trained on."""


class DiscriminatorSettings(Settings):
    """The discriminator with a column for the hole and one for the rest; only training needs it."""

    channels: Annotated[int, Field(ge=1)] = 16
    """Channels of its first layer; the last ones have eight times as many. 64 as published."""
    published: bool = False
    """Build the discriminator of the published code, for comparisons: with batch normalization and a sigmoid at its
    end, both of which work against the loss that trains it, and for crops of 256 pixels alone."""


class AugmentSettings(CropAugmentation):
    """Random variations of training crops."""

    recolor: bool = True
    """Exchange and dim the color channels at random: few photographs show few colors."""


class PixelSettings(Settings):
    """The pixel loss: absolute errors inside the hole and outside it, both as means over the whole image."""

    hole: Annotated[float, Field(gt=0)] = 6.0
    """Weight of the hole."""
    known: Annotated[float, Field(ge=0)] = 1.0
    """Weight of what is known; 0 leaves it out."""


class FeatureSettings(PerceptualSettings):
    """The perceptual loss, and how images are shown to the features that it shares with the style loss."""

    weight: Annotated[float, Field(ge=0)] = 0.01
    """Factor of the loss, which is taken of the answer and of the image put together; 0 leaves it out."""
    network: Network = "vgg16"
    layers: dict[str, Annotated[float, Field(gt=0)]] = {"pool1": 1.0, "pool2": 1.0, "pool3": 1.0}  # noqa: RUF012
    criterion: Literal["l1", "mse"] = "l1"
    normalize: bool = False
    """Show images with ImageNet's mean and deviation taken out, as the features were trained; the published code does
    not, and its weights of the losses belong to that."""
    window: Annotated[int, Field(ge=8)] | None = 48
    """Side of the squares, cut at random, that the features look at: on a CPU they cost more than all else.
    Unset, or larger than those: whole crops."""


class PretrainSettings(Settings):
    """First phase: the generator alone comes close to the target, pixel by pixel."""

    epochs: Annotated[int, Field(ge=0)] | None = None
    """Epochs of this phase; unset: what the second phase leaves of --epochs; 0: no such phase, as
    published."""
    optimizer: OptimizerSettings = OptimizerSettings(
        lr=2e-3, betas=(0.5, 0.9), schedule=ScheduleSettings(name="one-cycle", warmup=0.2)
    )
    """Optimizer of the generator."""


class AdversarialSettings(Settings):
    """Second phase: the generator against a Wasserstein critic, with all losses."""

    epochs: Annotated[Annotated[int, Field(ge=0)] | None, ResumeSafe()] = None
    """Epochs of this phase; unset: every fifth of --epochs, at least one, but none of --epochs 1; 0: no such phase."""
    weight: Annotated[float, Field(ge=0)] = 0.1
    """Factor of the generator's adversarial loss."""
    penalty: Annotated[float, Field(ge=0)] = 10.0
    """Factor of the penalty on the discriminator's gradient."""
    generator: OptimizerSettings = OptimizerSettings(lr=1e-4, betas=(0.5, 0.9))
    """Optimizer of the generator; as published."""
    discriminator: OptimizerSettings = OptimizerSettings(lr=5e-4, betas=(0.0, 0.9))
    """Optimizer of the discriminator; the published rate is 1e-5, which is too slow for short runs."""


SAMPLE_RECIPE: Mapping[str, Any] = {
    "model": {"channels": 16, "prefill": "smooth"},
    "ema": 0.99,
    "pretrain": {"optimizer": {"lr": 1e-3, "betas": (0.9, 0.99)}},
    "adversarial": {"weight": 0.01, "generator": {"schedule": {"name": "cosine"}}},
}
"""Settings of a run on the sample, wherever nothing else is asked for: it is to end in minutes on a CPU."""


class LBAMSettings(TwoPhaseSettings):
    """Settings of a run: pretraining by pixels, then all losses with the discriminator."""

    sample_steps: ClassVar[int | None] = 40  # ten epochs take minutes on two CPU cores

    batch_size: Annotated[int, Field(ge=1)] = 8
    model: ModelSettings = ModelSettings()
    """The generator."""
    discriminator: DiscriminatorSettings = DiscriminatorSettings()
    """The discriminator, its opponent in the second phase."""
    crop_size: Annotated[int, Field(ge=8)] = 128
    """Height and width in pixels of the parts of images that are trained on; 256 as published. What is no multiple of
    128 is continued to one."""
    masks: MaskSettings = MaskSettings()
    """The holes that are trained on and measured."""
    augment: AugmentSettings = AugmentSettings()
    """How training crops vary."""
    pixel: PixelSettings = PixelSettings()
    """Loss between pixels."""
    perceptual: FeatureSettings = FeatureSettings()
    """Loss between features, in the second phase."""
    style: StyleSettings = StyleSettings(weight=120.0)
    """Loss between the Gram matrices of the same features, in the second phase."""
    total_variation: Annotated[float, Field(ge=0)] = 0.0
    """Factor of the total variation of the hole and its seam, in the second phase; 0, as published, leaves it out."""
    pretrain: PretrainSettings = PretrainSettings()
    """First phase."""
    adversarial: AdversarialSettings = AdversarialSettings()
    """Second phase."""

    @classmethod
    def sample_defaults(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """A narrow generator that adds to a smooth continuation, unless one without it is asked for."""
        model = given.get("model") or {}
        if isinstance(model, BaseModel) or model.get("prefill", "smooth") != "smooth":
            return {}
        return SAMPLE_RECIPE

    @property
    def recipe(self) -> str | None:
        """What the sample's recipe is, and how to get the published one."""
        if self.data is not None or self.model.prefill == "none":
            return None
        return (
            f"sample: a narrow generator ({self.model.channels} channels) that adds to a smooth continuation; "
            "--model.prefill none --model.channels 64 is the published one"
        )

    @model_validator(mode="after")
    def _published_discriminator_has_one_size(self) -> Self:
        if self.discriminator.published and self.crop_size != PUBLISHED_CROP:
            raise ValueError(f"discriminator.published: judges crops of {PUBLISHED_CROP} pixels, not {self.crop_size}")
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
        """Whether the run comes to a loss between features."""
        return self.split()[1] > 0 and (self.perceptual.weight > 0 or self.style.weight > 0)

    # What follows imports torch, and only where it is needed: settings alone must load without it.

    def resolved(self) -> Self:
        """A copy with the window, the lengths of epochs and phases and the perceptual features fixed.

        Where features will be looked at, raises UsageError or DataError for data that cannot be trained on.
        """
        changes: dict[str, object] = {"perceptual": self._resolved_features()}
        if self.model.window is None:
            changes["model"] = self.model.model_copy(update={"window": max(self.crop_size, SMALLEST_WINDOW)})
        return super().resolved().model_copy(update=changes)

    def _resolved_features(self) -> FeatureSettings:
        if not (self.perceptual.weight or self.style.weight):
            return self.perceptual
        from restore.plugins.common.inpainting.dataset import inpainting_images
        from restore.plugins.common.perceptual.weights import resolve_features

        if self.looks_at_features:  # a mistake in the data is told before half a gigabyte is downloaded
            inpainting_images("train", self, self.masks, self.crop_size)
            inpainting_images("validation", self, self.masks, self.crop_size)
        return cast(FeatureSettings, resolve_features(self.perceptual, needed=self.looks_at_features))
