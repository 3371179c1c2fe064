"""Settings of both autoencoders and of their commands. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from restore.core.controls import Slider
from restore.core.optimizer_settings import OptimizerSettings, ScheduleSettings
from restore.core.settings import Flag, ImagePath, Positional, RegisteredName, RunSettings, Settings
from restore.plugins.common.registered import RegisteredSettings
from restore.plugins.common.super_resolution.settings import (
    SAMPLE,
    SuperResolutionData,
    SuperResolutionEvaluateOptions,
)


class ModelSettings(RegisteredSettings):
    """Encoder and decoder: everything needed to rebuild them."""

    architecture: Annotated[str, RegisteredName("architectures", roles=("autoencoder",)), Flag("--arch")] = (
        "vae/convolutional"
    )
    """Architecture of encoder and decoder."""
    latent: Annotated[int, Field(ge=1)] = 16
    """Latent units: numbers in each position of the latent code."""
    scale: Annotated[Literal[1, 2, 4], Flag("--scale")] = 1
    """Scale factor: size of the decoded image relative to the encoded one."""


class AutoencoderSettings(RunSettings):
    """Train an autoencoder; without --data on crops of the photographs that ship with scikit-image."""

    sample_dataset: ClassVar[str | None] = SAMPLE

    model: ModelSettings = Field(default_factory=ModelSettings)
    """The two networks."""
    dataset: SuperResolutionData = Field(default_factory=SuperResolutionData)
    """The data."""
    crop_size: Annotated[int, Field(ge=1)] = 64
    """Side of the decoded training crops in pixels; a multiple of the scale."""
    recolor: bool = True
    """Change the colors of training crops at random, because few photographs contain few colors."""
    batch_size: int = 8
    samples_per_epoch: Annotated[int, Field(ge=1)] | None = 1200
    ema: Annotated[float, Field(gt=0, lt=1)] | None = 0.99
    optimizer: OptimizerSettings = OptimizerSettings(
        lr=1e-3, clip_norm=1.0, schedule=ScheduleSettings(name="cosine", warmup=0.05, final=0.02)
    )
    """Optimizer of all networks; it starts anew in each phase."""


class VAESettings(AutoencoderSettings):
    """Train a VAE in two phases: KL warm-up, then the full objective.

    Without --data it trains on crops of the photographs that ship with scikit-image.
    """

    model: ModelSettings = Field(default_factory=lambda: ModelSettings.model_validate({"depth": 4, "latent": 32}))
    beta: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the KL term. 1 is the evidence lower bound; larger values bring the codes closer to the prior and make
    the images worse (Higgins et al., 2017)."""
    free_bits: Annotated[float, Field(ge=0)] = 0.0
    """Nats of KL that each latent unit may use per position without cost, which prevents unused units."""
    warmup: Annotated[float, Field(ge=0)] = 0.3
    """KL warm-up, in which the weight of the KL term rises from zero: a fraction of the epochs below 1, or a number of
    epochs from 1 on. A run stores the number, so resuming with more --epochs lengthens the second phase only."""

    @model_validator(mode="after")
    def _warms_up_for_something(self) -> Self:
        if self.warmup >= 1 and not self.warmup.is_integer():
            raise ValueError(f"warmup={self.warmup} must be a fraction below 1 or a whole number of epochs")
        if self.warmup >= max(1, self.epochs):
            raise ValueError(
                f"warmup={self.warmup:.0f} uses all {self.epochs} epochs; lower it so that the full objective gets at "
                "least one"
            )
        return self

    def split(self) -> tuple[int, int]:
        """Return the epochs of the warm-up and of the full objective (at least one)."""
        shared = min(round(self.epochs * self.warmup), self.epochs - 1)
        warmup = int(self.warmup) if self.warmup >= 1 else shared
        return warmup, self.epochs - warmup

    @override
    def resolved(self) -> Self:
        """Return a copy with the warm-up length fixed; extra ``epochs`` on resume go to the full objective."""
        settings = super().resolved()
        return settings.model_copy(update={"warmup": float(settings.split()[0])})


class AutoencoderPredictOptions(Settings):
    """Options of ``restore predict``."""

    toward: Annotated[Path | None, ImagePath()] = None
    """Second image, resized to the size of the first: the result is decoded from a code between those of both."""
    position: Annotated[float, Field(ge=0, le=1), Slider(0, 1, needs="toward")] = 0.5
    """toward: position of the code on the straight line from the first image (0) to the second (1)."""

    @model_validator(mode="after")
    def _between_two(self) -> Self:
        if self.toward is None and self.position != type(self).model_fields["position"].default:
            raise ValueError("position needs toward, the second image, which is not set; set both or neither")
        return self


class AutoencoderEvaluateOptions(SuperResolutionEvaluateOptions):
    """Options of ``restore evaluate``."""

    draws: Annotated[int, Field(ge=1)] = 8
    """Number of latent samples per image; more samples tighten the importance-weighted bound."""


class SampleSettings(Settings):
    """Sample latent codes from the prior and decode them. Each image is the mean of p(image | code), without noise."""

    n: Annotated[int, Field(ge=1), Flag("-n")] = 16
    """Number of images."""
    size: Annotated[int, Field(ge=1)] = 64
    """Side of each image in pixels."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Seed of the latent codes."""
    output: Path = Path("samples.png")
    """File to write: a .png sheet of all images."""
    overwrite: bool = False
    """Replace an existing file."""


class InterpolateSettings(Settings):
    """Decode latent codes on the straight line between the codes of two images."""

    images: Annotated[tuple[Path, Path], Positional("A B")]
    """Two image files; the second is resized to the size of the first."""
    steps: Annotated[int, Field(ge=2)] = 8
    """Number of images, both ends included."""
    output: Path = Path("interpolation.png")
    """File to write: a .png strip of all images, or a .gif animation that plays forward and backward."""
    overwrite: bool = False
    """Replace an existing file."""
