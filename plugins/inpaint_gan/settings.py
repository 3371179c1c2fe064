"""Settings of inpaint-gan. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import BaseModel, Field, field_validator, model_validator

from restore.core.settings import Flag, OptimizerSettings, ResumeSafe, ScheduleSettings, Settings
from restore.plugins.common.adversarial.schedule import TwoPhaseSettings
from restore.plugins.common.images.augment_settings import CropAugmentation
from restore.plugins.common.masks.settings import MaskSettings
from restore.plugins.common.perceptual.settings import PerceptualSettings, StyleSettings, check_layers, check_side
from restore.plugins.inpaint_gan.network_settings import DiscriminatorSettings, ModelSettings

Weight = Annotated[float, Field(ge=0)]


class PixelSettings(Settings):
    """The reconstruction loss: the anchor that holds colors in place."""

    loss: Literal["l1", "mse"] = "l1"
    """How pixels are compared."""
    hole: Weight = 6.0
    """Factor inside the hole; above 0 where a unet with a smooth start is pretrained."""
    known: Weight = 1.0
    """Factor outside it, where the generator has to copy; a unet with a smooth start draws nothing there."""
    discount: Annotated[float, Field(gt=0, le=1)] | None = None
    """l1: let pixels of the hole count the less the deeper they lie in it, by this factor for each pixel (DeepFill v1:
    0.9); unset: all the same."""
    coarse: Weight = 1.2
    """coarse-to-fine: factor of the same loss for the coarse stage, relative to the fine one."""
    variation: Weight = 0.0
    """Factor of the total variation of the hole and its seam: smooths, against noise and checkerboards."""

    @model_validator(mode="after")
    def _something_teaches(self) -> Self:
        if not (self.hole or self.known):
            raise ValueError("hole and known are both 0: no pixel would be compared")
        if self.discount is not None and (self.loss != "l1" or not self.hole):
            raise ValueError("discount: goes with the loss l1 and a factor of the hole above 0")
        return self


class FeatureSettings(PerceptualSettings):
    """Loss between VGG features of the filled and of the true image."""

    weight: Weight = 0.0
    """Factor of the loss; 0 leaves it out, 0.05 is a start."""
    network: Literal["vgg16", "vgg19"] = "vgg16"
    layers: dict[str, Annotated[float, Field(gt=0)]] = {"pool1": 1.0, "pool2": 1.0, "pool3": 1.0}  # noqa: RUF012
    criterion: Literal["l1", "mse"] = "l1"


class OptionalStyleSettings(StyleSettings):
    """Loss between Gram matrices of these features."""

    weight: Weight = 0.0
    """Factor of the loss; 0 leaves it out, 120 is a start."""


class PretrainSettings(Settings):
    """First phase: the generator alone comes close to the target, pixel by pixel."""

    epochs: Annotated[int, Field(ge=0)] | None = None
    """Epochs of this phase; unset: seven tenths of --epochs, rounded; 0: play from the start."""
    optimizer: OptimizerSettings = OptimizerSettings(
        lr=1e-3, betas=(0.5, 0.999), schedule=ScheduleSettings(name="one-cycle", warmup=0.2)
    )
    """Optimizer of the generator."""


class AdversarialSettings(Settings):
    """Adversarial training of generator and discriminator."""

    kind: Literal["vanilla", "least-squares", "hinge", "wasserstein"] = "hinge"
    """Which adversarial loss; vanilla is the original one."""
    weight: Weight = 0.05
    """Factor of the generator's adversarial loss."""
    real_label: Annotated[float, Field(gt=0, le=1)] = 1.0
    """vanilla, least-squares: label of photographs; 0.9 keeps the discriminator from being too sure."""
    penalty: Weight = 10.0
    """wasserstein: factor of the gradient penalty."""
    generator_every: Annotated[int, Field(ge=1)] = 1
    """The generator moves at every so many-th step only; 5 with wasserstein as published."""
    feature_matching: Weight = 0.0
    """Factor of the distance between the discriminator's features of both images; 10 is a start."""
    generator: OptimizerSettings = OptimizerSettings(lr=2e-4, betas=(0.5, 0.999))
    """Optimizer of the generator."""
    discriminator: OptimizerSettings = OptimizerSettings(lr=4e-4, betas=(0.5, 0.999))
    """Optimizer of the discriminator."""


_SAMPLE_MODEL: Mapping[str, Any] = {"generator": "unet", "start": "smooth", "norm": "none"}
"""The generator that the sample's recipe belongs to."""

SAMPLE_RECIPE: Mapping[str, Any] = {
    "model": {"norm": "none", "depth": 4},
    "ema": 0.99,
    "pretrain": {"optimizer": {"betas": (0.9, 0.99)}},
    "adversarial": {"generator": {"schedule": {"name": "cosine"}}},
}
"""Settings of a run on the sample, wherever nothing else is asked for: it is to end in minutes on a CPU."""


class InpaintGANSettings(TwoPhaseSettings):
    """Settings of a run that learns to fill holes by pixels, then adversarially.

    Without --data it trains on the photographs that ship with scikit-image, with drawn holes.
    """

    sample_steps: ClassVar[int | None] = 50

    model: ModelSettings = ModelSettings()
    """The generator."""
    discriminator: DiscriminatorSettings = DiscriminatorSettings()
    """Its opponent."""
    masks: MaskSettings = MaskSettings()
    """Holes."""
    crop_size: Annotated[int, Field(ge=16)] = 128
    """Side in pixels of the squares that are trained on; 256 as published."""
    augment: CropAugmentation = CropAugmentation()
    """How training crops vary."""
    progressive: Annotated[list[Annotated[int, Field(ge=16)]], Flag("--progressive")] = []  # noqa: RUF012
    """Sides in pixels to train at before the last phase, from small to large, as 32,64: crops are made smaller to them,
    so that the scene is learned before its details."""
    progressive_epochs: list[Annotated[int, Field(ge=0)]] | None = None
    """Epochs of the adversarial phase at each of these sizes, as 2,3; what they leave is for the last phase. Unset: its
    epochs are divided evenly."""
    pretrain: PretrainSettings = PretrainSettings()
    """First phase, by pixels, at the smallest of these sizes."""
    adversarial: AdversarialSettings = AdversarialSettings()
    """The adversarial phase."""
    pixel: PixelSettings = PixelSettings()
    """Loss between pixels, in every phase."""
    perceptual: FeatureSettings = FeatureSettings()
    """Loss between features, while they play."""
    style: OptionalStyleSettings = OptionalStyleSettings()
    """Loss between Gram matrices, while they play."""
    batch_size: int = 8
    ema: Annotated[float, Field(gt=0, lt=1)] | None = 0.98
    epochs: Annotated[int, Field(ge=1), ResumeSafe()] = 10

    @classmethod
    def sample_defaults(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """A U-Net without normalization, unless another generator or start, or a normalization, is asked for."""
        model = given.get("model") or {}
        if isinstance(model, BaseModel) or any(
            model.get(name, wanted) != wanted for name, wanted in _SAMPLE_MODEL.items()
        ):
            return {}
        return SAMPLE_RECIPE

    @property
    def recipe(self) -> str | None:
        """What the sample's recipe is, and how to get the published one."""
        if self.data is not None or any(getattr(self.model, name) != wanted for name, wanted in _SAMPLE_MODEL.items()):
            return None
        return (
            f"sample: a U-Net of {self.model.depth} levels without normalization; "
            "--model.norm batch --model.start gray --model.channels 64 --model.depth 8 is the published one"
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
                f"progressive: sizes rise and stay below the crop ({self.crop_size}), not {self.progressive}"
            )
        return self

    @model_validator(mode="after")
    def _each_size_has_epochs(self) -> Self:
        if self.progressive_epochs is None:
            return self
        sizes, given, adversarial = len(self.progressive), len(self.progressive_epochs), self.split()[1]
        if given != sizes:
            raise ValueError(f"progressive_epochs: one number for each of the {sizes} progressive sizes, not {given}")
        if sum(self.progressive_epochs) > adversarial:
            raise ValueError(
                f"progressive_epochs: {self.progressive_epochs} are more than the {adversarial} of the "
                "adversarial phase"
            )
        return self

    @model_validator(mode="after")
    def _images_can_be_judged(self) -> Self:
        kind, least = self.discriminator.kind, self.discriminator.smallest
        if self.smallest < least:
            raise ValueError(
                f"the {kind} discriminator judges at least {least} pixels a side, not {self.smallest}; raise the size, "
                "or lower discriminator.layers or discriminator.scales"
            )
        return self

    @model_validator(mode="after")
    def _pretraining_teaches(self) -> Self:
        smooth = self.model.generator == "unet" and self.model.start == "smooth"
        if smooth and not (self.pixel.hole or self.pixel.variation) and self.split()[0]:
            raise ValueError(
                "pixel.hole: with 0 pretraining teaches nothing, since a unet with a smooth start draws in the hole "
                "alone; give it a factor, or leave pretraining out with pretrain.epochs 0"
            )
        return self

    @model_validator(mode="after")
    def _losses_fit_the_networks(self) -> Self:
        if self.adversarial.kind == "wasserstein" and self.adversarial.penalty and self.discriminator.norm == "batch":
            raise ValueError(
                "discriminator.norm: a gradient penalty needs samples that do not see each other; take instance or none"
            )
        if self.style.weight:
            check_layers(self.perceptual.network, self.style.layers, "style.layers")
        if self.looks_at_features:
            name = "progressive" if self.progressive else "crop_size"
            check_side(self.smallest, name, self.perceptual, self.style)
        return self

    def split(self) -> tuple[int, int]:
        """Epochs of pretraining and of the adversarial phase."""
        pretrain = round(0.7 * self.epochs) if self.pretrain.epochs is None else self.pretrain.epochs
        return pretrain, self.epochs - pretrain

    def shares(self) -> list[int]:
        """Epochs of the adversarial phase at each of the progressive sizes and, last, at that of the crops."""
        _, adversarial = self.split()
        if self.progressive_epochs is not None:
            return [*self.progressive_epochs, adversarial - sum(self.progressive_epochs)]
        ends = [adversarial * place // (len(self.progressive) + 1) for place in range(len(self.progressive) + 2)]
        return [after - before for before, after in pairwise(ends)]

    @property
    def smallest(self) -> int:
        """Side in pixels of the smallest images that it is trained on."""
        return min([*self.progressive, self.crop_size])

    @property
    def looks_at_features(self) -> bool:
        """Whether a loss of this run needs VGG features."""
        return bool(self.perceptual.weight or self.style.weight) and self.split()[1] > 0

    # What follows imports torch, and only where it is needed: settings alone must load without it.

    def resolved(self) -> Self:
        """A copy with the window, the steps of an epoch on the sample, all phases but the last and the features fixed.

        So a resumed run with more ``epochs`` begins with the same phases. Where features will be looked at, raises
        UsageError or DataError for data that cannot be trained on.
        """
        changes: dict[str, object] = {}
        if self.progressive:
            changes["progressive_epochs"] = self.shares()[:-1]
        if self.model.window is None:
            changes["model"] = self.model.model_copy(update={"window": self.crop_size})
        if self.perceptual.weight or self.style.weight:
            from restore.plugins.common.inpainting.dataset import inpainting_images
            from restore.plugins.common.perceptual.weights import resolve_features

            if self.looks_at_features:  # a mistake in the data is told before half a gigabyte is downloaded
                inpainting_images("train", self, self.masks, self.crop_size)
                inpainting_images("validation", self, self.masks, self.crop_size)
            changes["perceptual"] = cast(
                FeatureSettings, resolve_features(self.perceptual, needed=self.looks_at_features)
            )
        return super().resolved().model_copy(update=changes)
